//! GraphiQL: a page that loads nothing from other hosts, and recognises a signed-in user.

use std::io::Write;
use std::process::Stdio;

use nyxcore_gateway::Limits;
use nyxcore_tests::{TestDatabase, on_both_databases};
use reqwest::Response;

use super::client::{Served, serve};

const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn page(served: &Served) -> Response {
    let request = served.client.get(served.url("/")).header("accept", ACCEPT);
    request.send().await.unwrap()
}

/// The addresses that the page loads.
fn loaded(page: &str) -> Vec<&str> {
    let attributes = page.split(['"', '\'']);
    attributes
        .filter(|text| text.starts_with('/') || text.contains("//"))
        .collect()
}

/// Decompressed by the system's gzip, because nothing else here needs a library for it.
fn unpack(packed: &[u8]) -> String {
    #[expect(clippy::disallowed_methods, reason = "a test's tool")]
    let mut gzip = std::process::Command::new("gzip")
        .arg("-dc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, packed) = (gzip.stdin.take().unwrap(), packed.to_vec());
    let writer = std::thread::spawn(move || input.write_all(&packed).unwrap());
    let output = gzip.wait_with_output().unwrap();
    writer.join().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

on_both_databases! {
    async fn a_browser_is_led_to_the_page(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let response = page(&served).await;
        assert_eq!((response.status().as_u16(), response.url().path()), (200, "/graphql"));
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(response.headers()["cache-control"], "no-store");
    }

    async fn the_page_runs_only_what_this_server_has(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let response = page(&served).await;
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{policy}");
        let html = response.text().await.unwrap();
        assert!(!html.contains("<script>") && !html.contains("<style") && !html.contains(" style="), "{html}");
        let paths = loaded(&html);
        assert_eq!(paths.len(), 4, "{paths:?}");
        for path in paths {
            assert!(path.starts_with("/assets/graphiql/"), "{path}");
            let response = served.client.get(served.url(path)).send().await.unwrap();
            assert_eq!(response.status(), 200, "{path}");
            let packed = response.headers().get("content-encoding").is_some();
            let bytes = response.bytes().await.unwrap();
            let text = if packed { unpack(&bytes) } else { String::from_utf8(bytes.to_vec()).unwrap() };
            if path.ends_with(".css") {
                let elsewhere = text.split("url(").skip(1).find(|url| !url.starts_with("data:image/"));
                assert_eq!(elsewhere, None, "{path}");
                assert!(!text.contains("@import"), "{path}");
            } else {
                assert!(!text.contains("sourceMappingURL") && !text.contains("unpkg.com"), "{path}");
            }
        }
    }

    async fn no_header_is_set_that_counts_before_the_cookie(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let html = page(&served).await.text().await.unwrap();
        let start = loaded(&html).into_iter().find(|path| path.contains("/start-") && path.ends_with(".js")).unwrap();
        let script = served.client.get(served.url(start)).send().await.unwrap().text().await.unwrap();
        assert!(!script.contains("defaultHeaders") && !script.contains("headers:"), "{script}");
    }

    async fn a_file_of_the_page_is_cached_by_its_content(db: TestDatabase) {
        let served = serve(&db, Limits::default()).await;
        let html = page(&served).await.text().await.unwrap();
        for path in loaded(&html) {
            let get = || served.client.get(served.url(path));
            let response = get().send().await.unwrap();
            assert_eq!(response.headers()["cache-control"], "public, max-age=31536000, immutable", "{path}");
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            let tag = response.headers()["etag"].to_str().unwrap().to_owned();
            assert!(path.contains(tag.trim_matches('"')), "{path} {tag}");
            for tags in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}")] {
                let again = get().header("if-none-match", &tags).send().await.unwrap();
                assert_eq!((again.status().as_u16(), again.bytes().await.unwrap().len()), (304, 0), "{path} {tags}");
            }
            let other = get().header("if-none-match", "\"x\"").send().await.unwrap();
            assert_eq!(other.status(), 200);
        }
        let missing = served.client.get(served.url("/assets/graphiql/graphiql-000000000000.js")).send().await.unwrap();
        assert_eq!(missing.status(), 404);
    }
}
