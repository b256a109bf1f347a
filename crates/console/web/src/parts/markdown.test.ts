import { expect, test } from "vitest";
import { markdownHtml } from "./markdown.tsx";

const parsed = (text: string) => new DOMParser().parseFromString(markdownHtml(text), "text/html").body;

test("script, styles and handlers are left out", () => {
  const html = markdownHtml(
    '<script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)></svg><b style="color:red" onclick="x()">bold</b><style>*{}</style><iframe src="https://a"></iframe><form action="/x"><input></form>',
  );
  expect(html).not.toMatch(/script|onerror|onload|onclick|style|svg|iframe|form|input/i);
  expect(html).toContain("<b>bold</b>");
});

test("only http, https and mail addresses are links", () => {
  for (const address of [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "&#106;avascript:alert(1)", "data:text/html,x", "vbscript:x", "/auth/sign-out", "file:///etc/passwd",
  ]) {
    expect(parsed(`[x](<${address}>)`).querySelector("a")?.getAttribute("href") ?? null, address).toBeNull();
  }
  const link = parsed("[x](https://example.org/)").querySelector("a");
  expect(link?.getAttribute("href")).toBe("https://example.org/");
  expect(link?.getAttribute("rel")).toContain("noopener");
});

test("an image becomes a link, so that nothing is loaded", () => {
  const body = parsed("![a cat](https://example.org/cat.png)");
  expect(body.querySelector("img")).toBeNull();
  expect(body.querySelector("a")?.getAttribute("href")).toBe("https://example.org/cat.png");
  expect(body.textContent).toContain("a cat");
});

test("tables, code and lists are kept", () => {
  const body = parsed("| a |\n|---|\n| `b` |\n\n- one\n- two\n");
  expect(body.querySelectorAll("td code").length).toBe(1);
  expect(body.querySelectorAll("li").length).toBe(2);
});
