//! Serves the scripted vendors on loopback, for the vendors' own SDKs: `scripted_server PORT`. It exits at the end of
//! its standard input.

use std::io::Read;

use nyxcore_llm::testing::{VendorServer, respond};

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1);
    let port = port.and_then(|port| port.parse().ok());
    let server = VendorServer::start_at(port.unwrap_or_default(), respond).await;
    println!("{}", server.url(""));
    let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = end.await;
}
