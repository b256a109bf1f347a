import { expect, test } from "vitest";
import { markdownHtml } from "./markdown.tsx";

const parsed = (text: string) => new DOMParser().parseFromString(markdownHtml(text), "text/html").body;

test("HTML with attributes is text, and HTML that runs or loads is left out", () => {
  const body = parsed(
    [
      "<script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)></svg>",
      '<b style="color:red" onclick="x()">bold</b><style>*{}</style><iframe src="https://a"></iframe>',
      '<form action="/x"><input></form>',
    ].join(""),
  );
  const harmful = "script, style, svg, iframe, form, input, img, [onerror], [onload], [onclick], [style], [src]";
  expect(body.querySelectorAll(harmful).length).toBe(0);
  expect(markdownHtml("H<sub>2</sub>O <script>alert(1)</script>")).toBe("<p>H<sub>2</sub>O </p>\n");
});

test("only http, https and mail addresses are links", () => {
  for (const address of [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "&#106;avascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "/auth/sign-out",
    "file:///etc/passwd",
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

test("a comment is not shown, and hides nothing that runs", () => {
  expect(markdownHtml("One.\n\n<!-- nyxcore:enrichment run_1 -->\n\nTwo.")).toBe("<p>One.</p>\n<p>Two.</p>\n");
  const body = parsed("<!-- <!-- --><script>alert(1)</script> --> <img src=x onerror=alert(1)>");
  expect(body.querySelectorAll("script, img, [onerror]").length).toBe(0);
});
