//! HTTP clients that connect only to verified addresses.

use std::net::{IpAddr, SocketAddr};

/// A resolver that resolves no name: the addresses that the client may connect to are pinned.
struct NoNames;

impl reqwest::dns::Resolve for NoNames {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async { Err("the client connects to pinned addresses only".into()) })
    }
}

/// A client that connects to those addresses of `domain` and to no others, follows no redirect and uses no proxy from
/// the environment, which would resolve names itself. `domain` is `None` where the host of the URL is an address. The
/// program must have installed a crypto provider for TLS.
pub fn client_builder(domain: Option<&str>, addresses: &[IpAddr]) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .dns_resolver(NoNames);
    let Some(domain) = domain else {
        return builder;
    };
    // Port 0 stands for the port of the URL.
    let pinned: Vec<SocketAddr> = addresses
        .iter()
        .map(|address| SocketAddr::new(*address, 0))
        .collect();
    builder.resolve_to_addrs(domain, &pinned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// A server on loopback that redirects to itself.
    async fn redirecting() -> u16 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 1024];
                let _read = stream.read(&mut request).await;
                let answer = "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                let _written = stream.write_all(answer.as_bytes()).await;
            }
        });
        port
    }

    #[tokio::test]
    async fn a_client_connects_to_pinned_addresses_only() {
        // Another test of the process may have installed it.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let port = redirecting().await;
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let client = client_builder(Some("models.example"), &[loopback])
            .build()
            .unwrap();
        let pinned = client
            .get(format!("http://models.example:{port}/"))
            .send()
            .await
            .unwrap();
        assert_eq!(pinned.status().as_u16(), 302, "a redirect is not followed");
        let other = client
            .get(format!("http://other.example:{port}/"))
            .send()
            .await;
        assert!(other.unwrap_err().is_connect());
    }
}
