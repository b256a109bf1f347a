// Markdown as people and models write it, made safe: no script, no other address scheme than those below, and nothing
// is loaded from another host. An image of another host is shown as the link that it is.

import DOMPurify from "dompurify";
import { Marked } from "marked";
import { useMemo } from "react";
import { t } from "~/text";

/** HTML without attributes. */
const PLAIN_HTML = /^(?:<\/?[a-z][a-z0-9]*\s*\/?>|[^<])*$/i;

/** What the server writes for itself, and a reader does not see: where an enrichment begins and ends. */
const COMMENT = /<!--[\s\S]*?-->/g;

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

const marked = new Marked({
  gfm: true,
  breaks: false,
  async: false,
  renderer: {
    // HTML with attributes is shown as it was typed. A browser reports each handler in it, even in a document that
    // runs none.
    html: ({ text }) => {
      const shown = text.replace(COMMENT, "");
      return PLAIN_HTML.test(shown) ? shown : escaped(shown);
    },
    // What would be loaded becomes a link that is followed only by a click.
    image: ({ href, text }) => `<a href="${escaped(href)}">${escaped(t.markdown.image(text || href))}</a>`,
  },
});

const SCHEMES = new Set(["http:", "https:", "mailto:"]);

const TAGS = [
  "a",
  "b",
  "blockquote",
  "br",
  "code",
  "del",
  "em",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "hr",
  "i",
  "kbd",
  "li",
  "ol",
  "p",
  "pre",
  "s",
  "strong",
  "sub",
  "sup",
  "table",
  "tbody",
  "td",
  "th",
  "thead",
  "tr",
  "ul",
];

/** The HTML of a text of Markdown, without anything that runs or loads. */
export function markdownHtml(text: string): string {
  const html = marked.parse(text, { async: false });
  const purify = DOMPurify(window);
  purify.addHook("afterSanitizeAttributes", (node) => {
    if (node.nodeName !== "A") return;
    const address = node.getAttribute("href") ?? "";
    if (!harmless(address)) {
      node.removeAttribute("href");
      return;
    }
    if (!address.startsWith("#")) {
      node.setAttribute("rel", "noopener noreferrer nofollow");
      node.setAttribute("target", "_blank");
    }
  });
  return purify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ["href", "title", "align", "start"],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
  });
}

function harmless(address: string): boolean {
  if (address.startsWith("#")) return true;
  try {
    // A relative address means nothing here: the text comes from a repository or a person.
    return SCHEMES.has(new URL(address).protocol);
  } catch {
    return false;
  }
}

export function MarkdownView(props: { text: string }) {
  const html = useMemo(() => markdownHtml(props.text), [props.text]);
  // What a text says of itself says its direction, too.
  return <div className="markdown" dir="auto" dangerouslySetInnerHTML={{ __html: html }} />;
}
