//! Servers that cut, stall, reset, garble, redirect, flood and send false data. Each fault has its own code.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use super::*;
use crate::testing::{Fault, GREETING, self_signed_server};
use crate::{AddressRefused, Resolver, SseLimits};

#[test]
fn a_stream_cut_at_any_byte_is_never_taken_for_whole() {
    for protocol in PROTOCOLS {
        let reply = text_reply(protocol, "Hello, world");
        let whole = reply.body();
        let (complete, error) = decode(protocol, [whole]);
        assert_eq!(error, None, "{protocol:?}");
        for cut in 0..whole.len() {
            let (events, error) = decode(protocol, [&whole[..cut]]);
            let text = shown(&events).0;
            match error {
                Some(error) => {
                    assert_eq!(error.code(), "TRUNCATED", "{protocol:?} at {cut}");
                    assert!("Hello, world".starts_with(&text), "{protocol:?} at {cut}");
                }
                // Only bytes after the end of the answer are missing: the usage, or white space.
                None => assert_eq!(text, shown(&complete).0, "{protocol:?} at {cut}"),
            }
        }
    }
}

#[test]
fn a_garbled_byte_is_never_a_crash() {
    for protocol in PROTOCOLS {
        let reply = text_reply(protocol, GREETING);
        for at in 0..reply.body().len() {
            let garbled = reply.clone().garble(at);
            let (events, error) = decode(protocol, [garbled.body()]);
            let is_ended = matches!(events.last(), Some(StreamEvent::Finish(_)));
            assert_ne!(is_ended, error.is_some(), "{protocol:?} at {at}");
        }
    }
}

#[tokio::test]
async fn a_cut_connection_is_truncated() {
    for protocol in PROTOCOLS {
        let whole = text_reply(protocol, GREETING);
        let half = whole.body().len() / 2;
        let faults = [
            Fault::Cut(half),
            Fault::End(half),
            Fault::Cut(0),
            Fault::End(0),
        ];
        let server = VendorServer::replies(faults.map(|fault| whole.clone().fault(fault))).await;
        let client = client(&server, protocol);
        for fault in faults {
            let result = client.complete(&request()).await;
            assert_eq!(code(result), "TRUNCATED", "{protocol:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_reset_connection_has_its_code() {
    let whole = text_reply(Protocol::AnthropicMessages, GREETING);
    let server = VendorServer::replies([whole.fault(Fault::Reset(300))]).await;
    let error = client(&server, Protocol::AnthropicMessages)
        .complete(&request())
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.is_retryable()),
        ("CONNECTION_RESET", true)
    );
}

#[tokio::test]
async fn silence_has_a_time_out_of_its_own() {
    let short = TransportOptions {
        first_byte_timeout: Duration::from_millis(150),
        ..options()
    };
    for fault in [Fault::Silence, Fault::Stall(0)] {
        let server = VendorServer::replies([Reply::events("data: {}\n\n").fault(fault)]).await;
        let client = client_with(&server, Protocol::OpenAiChat, short.clone());
        let started = Instant::now();
        let error = client.complete(&request()).await.unwrap_err();
        assert_eq!(
            (error.code(), error.is_retryable()),
            ("FIRST_BYTE_TIMEOUT", true),
            "{fault:?}"
        );
        assert!(started.elapsed() < Duration::from_secs(15));
    }
}

#[tokio::test]
async fn a_pause_between_bytes_has_a_time_out_of_its_own() {
    let short = TransportOptions {
        idle_timeout: Duration::from_millis(150),
        ..options()
    };
    let whole = text_reply(Protocol::OpenAiChat, GREETING);
    let server = VendorServer::replies([whole.fault(Fault::Stall(400))]).await;
    let client = client_with(&server, Protocol::OpenAiChat, short);
    assert_eq!(code(client.complete(&request()).await), "IDLE_TIMEOUT");
}

#[tokio::test]
async fn an_endless_stream_is_stopped_by_size() {
    let small = TransportOptions {
        stream_limits: SseLimits {
            total: 100_000,
            ..SseLimits::default()
        },
        body_bytes_max: 100_000,
        ..options()
    };
    for (body, content_type) in [
        (": ping\n\n", "text/event-stream"),
        ("data: {\"choices\":[]}\n\n", "text/event-stream"),
        ("data: xxxxxxxx", "text/event-stream"),
        ("{\"choices\":[", "application/json"),
    ] {
        let reply = Reply::new(200, content_type, body).fault(Fault::Endless);
        let server = VendorServer::replies([reply]).await;
        let client = client_with(&server, Protocol::OpenAiChat, small.clone());
        assert_eq!(
            code(client.complete(&request()).await),
            "ANSWER_TOO_LARGE",
            "{body:?}"
        );
        let left = tokio::time::timeout(Duration::from_secs(20), server.left(1)).await;
        assert!(left.is_ok(), "the connection stays open");
    }
}

#[tokio::test]
async fn an_endless_stream_is_stopped_by_time() {
    let short = TransportOptions {
        total_timeout: Duration::from_millis(300),
        stream_limits: SseLimits {
            total: usize::MAX,
            ..SseLimits::default()
        },
        ..options()
    };
    // Once slowly, and once so fast that there is always a byte to read.
    for pause in [10, 0] {
        let pings = Reply::events(": ping\n\n".repeat(100));
        let pings = pings
            .fault(Fault::Endless)
            .pause(Duration::from_millis(pause));
        let server = VendorServer::replies([pings]).await;
        let client = client_with(&server, Protocol::OpenAiChat, short.clone());
        assert_eq!(
            code(client.complete(&request()).await),
            "TOTAL_TIMEOUT",
            "{pause}"
        );
    }
}

#[tokio::test]
async fn an_endless_error_body_is_not_read_to_its_end() {
    let reply = Reply::json(500, "{\"error\": \"").fault(Fault::Endless);
    let server = VendorServer::replies([reply]).await;
    let client = client(&server, Protocol::OpenAiChat);
    assert_eq!(code(client.complete(&request()).await), "VENDOR_FAILED");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_gets_no_key() {
    let other = VendorServer::replies([Reply::json(200, "{}")]).await;
    for status in [301, 302, 303, 307, 308] {
        let target = other.url("/v1/chat/completions");
        let reply = Reply::json(status, "").header("location", &target);
        let server = VendorServer::replies([reply]).await;
        for protocol in PROTOCOLS {
            let error = client(&server, protocol)
                .complete(&request())
                .await
                .unwrap_err();
            assert_eq!(
                (error.code(), error.is_retryable()),
                ("REDIRECTED", false),
                "{status}"
            );
        }
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn nobody_who_listens_is_unreachable() {
    let server = VendorServer::replies([Reply::json(200, "{}")]).await;
    let port = server.port();
    drop(server);
    // The listener's task closes it a moment later.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let endpoint = Endpoint::new(Protocol::OpenAiChat, &format!("http://127.0.0.1:{port}/v1"));
    let client = Client::new(endpoint.unwrap(), ApiKey::parse(KEY).unwrap()).unwrap();
    let error = client.complete(&request()).await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), ("UNREACHABLE", true));
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_refused() {
    let port = self_signed_server();
    for host in ["localhost", "127.0.0.1"] {
        let endpoint = Endpoint::new(Protocol::OpenAiChat, &format!("https://{host}:{port}/v1"));
        let client = Client::new(endpoint.unwrap(), ApiKey::parse(KEY).unwrap()).unwrap();
        let error = client.complete(&request()).await.unwrap_err();
        assert_eq!(
            (error.code(), error.is_retryable()),
            ("CERTIFICATE_INVALID", false),
            "{host}"
        );
    }
}

/// Resolves every host to one address, or refuses every host.
struct Pinned(Result<IpAddr, AddressRefused>);

impl Resolver for Pinned {
    fn resolve(&self, _: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, AddressRefused>> {
        futures::future::ready(self.0.map(|address| vec![address])).boxed()
    }
}

fn pinned(base_url: &str, address: Result<IpAddr, AddressRefused>) -> Client {
    let options = TransportOptions {
        resolver: Some(Arc::new(Pinned(address))),
        ..options()
    };
    let endpoint = Endpoint::new(Protocol::OpenAiChat, base_url).unwrap();
    let key = ApiKey::parse(KEY).unwrap();
    Client::with_transport(endpoint, key, Transport::new(options).unwrap()).unwrap()
}

#[tokio::test]
async fn the_resolver_decides_where_a_name_leads() {
    let server = VendorServer::start(crate::testing::respond).await;
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let url = format!("http://vendor.example:{}/v1", server.port());
    let finish = pinned(&url, Ok(loopback))
        .complete(&request())
        .await
        .unwrap();
    assert_eq!(finish.message.text(), GREETING);
    assert_eq!(
        server.requests()[0].header("host"),
        format!("vendor.example:{}", server.port())
    );
}

#[tokio::test]
async fn an_address_that_the_resolver_refuses_gets_nothing() {
    let server = VendorServer::start(crate::testing::respond).await;
    let port = server.port();
    let elsewhere = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));
    for host in [
        "vendor.example",
        "localhost",
        "127.0.0.1",
        "0x7f.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ] {
        let client = pinned(&format!("http://{host}:{port}/v1"), Err(AddressRefused));
        let error = client.complete(&request()).await.unwrap_err();
        assert_eq!(
            (error.code(), error.is_retryable()),
            ("ADDRESS_REFUSED", false),
            "{host}"
        );
    }
    // An address that is not among the approved ones is refused as well.
    let client = pinned(&format!("http://127.0.0.1:{port}/v1"), Ok(elsewhere));
    assert_eq!(code(client.complete(&request()).await), "ADDRESS_REFUSED");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn only_https_is_spoken_where_that_is_wanted() {
    let server = VendorServer::start(crate::testing::respond).await;
    let options = TransportOptions {
        https_only: true,
        ..options()
    };
    let client = client_with(&server, Protocol::OpenAiChat, options);
    assert_eq!(code(client.complete(&request()).await), "ENDPOINT_INVALID");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn what_came_before_an_error_is_given() {
    let whole = text_reply(Protocol::OpenAiChat, GREETING);
    let half = whole.body().len() / 2;
    let server = VendorServer::replies([whole.fault(Fault::Cut(half))]).await;
    let stream = client(&server, Protocol::OpenAiChat)
        .stream(&request())
        .await
        .unwrap();
    let events: Vec<_> = stream.collect().await;
    assert!(events.len() > 1 && events[..events.len() - 1].iter().all(Result::is_ok));
    assert_eq!(
        events.last().unwrap().as_ref().unwrap_err().code(),
        "TRUNCATED"
    );
}
