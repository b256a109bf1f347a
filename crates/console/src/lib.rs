//! The console: the pages that people use in a browser, as files that the server hands out.
//!
//! The pages are written in TypeScript (`web/`) and use nothing but the public GraphQL API and the addresses below
//! `/auth`. The build script bundles them with Node where it is there; otherwise the bundle is one notice page. This
//! crate knows no web framework: the gateway serves the files, with their headers.
//!
//! ```
//! let page = nyxcore_console::page("bm9uY2U");
//! assert!(page.contains("<html"));
//! assert!(nyxcore_console::file("/no-such-file", nyxcore_console::Codings::default()).is_none());
//! ```

use std::borrow::Cow;

use rust_embed::RustEmbed;

/// The placeholder in the page for the nonce of its style sheets.
const NONCE: &str = "__STYLE_NONCE__";

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/bundle"]
struct Bundle;

/// The codings of a file's content that a client accepts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Codings {
    /// Brotli.
    pub br: bool,
    /// Gzip.
    pub gzip: bool,
}

/// A file of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The bytes, compressed by `coding` if there is one.
    pub content: Cow<'static, [u8]>,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The value of `Content-Encoding`, if the content has a coding.
    pub coding: Option<&'static str>,
    /// Whether the address contains a hash of the content, so that the content never changes.
    pub immutable: bool,
}

/// Returns the page for every address of the console. `nonce` allows the style sheets that the page adds. It must be a
/// fresh value for each response, in Base64 characters.
pub fn page(nonce: &str) -> String {
    let html = Bundle::get("index.html").map(|file| file.data);
    let html = html.unwrap_or_default();
    String::from_utf8_lossy(&html).replace(NONCE, nonce)
}

/// Whether the bundle was built. Otherwise the page is a notice that says how to build it.
pub fn is_built() -> bool {
    Bundle::iter().any(|path| path.ends_with(".js"))
}

/// The file at an address such as `/console/index-1a2b3c4d.js`, in the best coding that the client accepts.
pub fn file(address: &str, takes: Codings) -> Option<File> {
    let path = address.strip_prefix('/')?;
    // The page is generated for each response, and the compressed copies have no addresses of their own.
    let content_type = content_type(path).filter(|_| path != "index.html")?;
    let coded = |ending: &str, coding: &'static str| {
        let file = Bundle::get(&format!("{path}.{ending}"))?;
        Some((file.data, Some(coding)))
    };
    let (content, coding) = takes
        .br
        .then(|| coded("br", "br"))
        .flatten()
        .or_else(|| takes.gzip.then(|| coded("gz", "gzip")).flatten())
        .or_else(|| Some((Bundle::get(path)?.data, None)))?;
    Some(File {
        content,
        content_type,
        coding,
        immutable: path.starts_with("console/"),
    })
}

fn content_type(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit_once('.')?;
    Some(match ending {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_carries_the_nonce() {
        let page = page("bm9uY2U");
        assert!(page.contains("<html") && !page.contains(NONCE));
    }

    #[test]
    fn the_page_has_no_inline_script() {
        let page = page("bm9uY2U");
        for tag in page.split("<script").skip(1) {
            assert!(tag.contains("src=\"/console/"), "<script{tag}");
        }
        assert!(!page.contains("onload=") && !page.contains("<style"));
    }

    #[test]
    fn files_are_found_by_their_address_only() {
        let all = Codings {
            br: true,
            gzip: true,
        };
        for address in [
            "",
            "/",
            "console",
            "/index.html",
            "/../Cargo.toml",
            "/console/",
            "/console/../index.html",
            "//index.html",
            "/console/x.js.br",
        ] {
            assert_eq!(file(address, all), None, "{address}");
        }
    }

    #[test]
    fn a_script_is_compressed_for_who_takes_it() {
        if !is_built() {
            return;
        }
        let script = Bundle::iter().find(|path| path.ends_with(".js"));
        let address = format!("/{}", script.expect("a built bundle has a script"));
        let coding = |br, gzip| {
            file(&address, Codings { br, gzip })
                .expect("the script")
                .coding
        };
        assert_eq!(coding(true, true), Some("br"));
        assert_eq!(coding(false, true), Some("gzip"));
        assert_eq!(coding(false, false), None);
        assert!(
            file(&address, Codings::default())
                .expect("the script")
                .immutable
        );
    }
}
