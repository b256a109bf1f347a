//! The HTTP client: time-outs, bounds, no redirects, and addresses that the caller approves.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HeaderMap;
use reqwest::redirect;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use crate::{LlmError, SseLimits};

/// Resolves a host to its addresses. The client connects to these and to no others, so an implementation can pin
/// addresses and refuse private ones. It is called before every new connection, and before every request to a host that
/// is an IP address itself.
pub trait Resolver: Send + Sync + 'static {
    /// Returns the addresses of a host name or of a literal address. [`AddressRefused`] where none of them may be
    /// connected to.
    fn resolve(&self, host: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, AddressRefused>>;
}

/// A resolver does not allow a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address is not allowed")]
pub struct AddressRefused;

/// The options of the HTTP client.
#[derive(Clone)]
pub struct TransportOptions {
    /// How long a connection may take to open: 10 s by default.
    pub connect_timeout: Duration,
    /// How long the first byte of an answer may take: 120 s by default. A model that thinks sends nothing meanwhile, or
    /// only pings.
    pub first_byte_timeout: Duration,
    /// How long an answer may stall in the middle: 60 s by default.
    pub idle_timeout: Duration,
    /// How long the whole answer may take: one hour by default.
    pub total_timeout: Duration,
    /// The maximum sizes of an event stream.
    pub stream_limits: SseLimits,
    /// The maximum size of an answer that is not an event stream, in bytes: 128 MiB by default. 2,048 embeddings of
    /// 3,072 numbers have around 75 MB as text.
    pub body_bytes_max: usize,
    /// Whether only `https` is allowed: no by default.
    pub https_only: bool,
    /// The resolver. `None` is the system's.
    pub resolver: Option<Arc<dyn Resolver>>,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(120),
            idle_timeout: Duration::from_secs(60),
            total_timeout: Duration::from_secs(3_600),
            stream_limits: SseLimits::default(),
            body_bytes_max: 128 << 20,
            https_only: false,
            resolver: None,
        }
    }
}

/// The pool of connections. Cloning shares it; a program needs one.
#[derive(Clone)]
pub struct Transport {
    http: reqwest::Client,
    options: TransportOptions,
}

impl Transport {
    /// Opens no connection yet. Installs rustls' ring crypto provider where the program has not installed one.
    ///
    /// # Errors
    /// [`LlmError::EndpointInvalid`] where TLS cannot be set up, for example because the system has no certificates.
    pub fn new(options: TransportOptions) -> Result<Self, LlmError> {
        // A crypto provider that the program has installed stays: this call then fails.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            // A redirect would send the key to another server.
            .redirect(redirect::Policy::none())
            // A proxy of the environment would resolve the name itself.
            .no_proxy()
            .https_only(options.https_only)
            .connect_timeout(options.connect_timeout)
            // `RetryPolicy` does the retries: it knows what was already shown.
            .retry(reqwest::retry::never())
            .user_agent(concat!("nyxcore/", env!("CARGO_PKG_VERSION")));
        if let Some(resolver) = options.resolver.clone() {
            builder = builder.dns_resolver(Hook(resolver));
        }
        let http = builder
            .build()
            .map_err(|_| LlmError::EndpointInvalid("TLS cannot be set up"))?;
        Ok(Self { http, options })
    }

    pub(crate) fn options(&self) -> &TransportOptions {
        &self.options
    }

    /// Sends a POST with a JSON body, or a GET without one, and waits for the answer's head.
    pub(crate) async fn send(
        &self,
        url: Url,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, LlmError> {
        if self.options.https_only && url.scheme() != "https" {
            return Err(LlmError::EndpointInvalid("only https is allowed"));
        }
        let started = Instant::now();
        let first_byte = self.options.first_byte_timeout;
        let head = async {
            self.address_check(&url).await?;
            let request = match body {
                Some(body) => self.http.post(url).body(body),
                None => self.http.get(url),
            };
            let request = request.headers(headers);
            request.send().await.map_err(|error| failure(&error, false))
        };
        let response = timeout_at(started + first_byte, head)
            .await
            .map_err(|_| LlmError::FirstByteTimeout(first_byte))??;
        Ok(Answer {
            response,
            started,
            has_bytes: false,
            idle: self.options.idle_timeout,
            first_byte,
            total: self.options.total_timeout,
        })
    }

    /// The HTTP client does not call the resolver for a host that is an IP address, so it is called here.
    async fn address_check(&self, url: &Url) -> Result<(), LlmError> {
        let Some(resolver) = &self.options.resolver else {
            return Ok(());
        };
        let address: IpAddr = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            _ => return Ok(()),
        };
        match resolver.resolve(&address.to_string()).await {
            Ok(allowed) if allowed.contains(&address) => Ok(()),
            _ => Err(LlmError::AddressRefused),
        }
    }
}

struct Hook(Arc<dyn Resolver>);

impl Resolve for Hook {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.0.resolve(name.as_str());
        Box::pin(async move {
            let addresses = addresses.await?;
            if addresses.is_empty() {
                return Err("the name has no address".into());
            }
            // Port 0 is the port of the URL.
            let sockets = addresses.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}

/// An answer whose body is still being received. Dropping it closes the connection.
pub(crate) struct Answer {
    response: reqwest::Response,
    started: Instant,
    has_bytes: bool,
    idle: Duration,
    first_byte: Duration,
    total: Duration,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next bytes; none at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, LlmError> {
        let now = Instant::now();
        let (wait, error) = if self.has_bytes {
            (now + self.idle, LlmError::IdleTimeout(self.idle))
        } else {
            let first = LlmError::FirstByteTimeout(self.first_byte);
            (self.started + self.first_byte, first)
        };
        let end = self.started + self.total;
        let (wait, error) = if end < wait {
            (end, LlmError::TotalTimeout(self.total))
        } else {
            (wait, error)
        };
        // If a server never stops sending, a byte is always ready, and the time-out below is never checked.
        if end <= now {
            return Err(LlmError::TotalTimeout(self.total));
        }
        let chunk = timeout_at(wait, self.response.chunk())
            .await
            .map_err(|_| error)?;
        let chunk = chunk.map_err(|error| failure(&error, true))?;
        self.has_bytes |= chunk.as_ref().is_some_and(|bytes| !bytes.is_empty());
        Ok(chunk)
    }

    /// Reads the whole body.
    pub(crate) async fn body(&mut self, bytes_max: usize) -> Result<Vec<u8>, LlmError> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            let chunk = chunk.as_ref();
            if body.len() + chunk.len() > bytes_max {
                return Err(LlmError::AnswerTooLarge(bytes_max));
            }
            body.extend_from_slice(chunk);
        }
        Ok(body)
    }
}

/// Classifies an error of the HTTP library. Its text is not used, because it contains the URL.
fn failure(error: &reqwest::Error, in_body: bool) -> LlmError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if current.is::<AddressRefused>() {
            return LlmError::AddressRefused;
        }
        if let Some(rustls::Error::InvalidCertificate(_)) = current.downcast_ref() {
            return LlmError::CertificateInvalid;
        }
        let io = current.downcast_ref::<io::Error>();
        let is_reset = |error: &io::Error| {
            let resets = [
                io::ErrorKind::ConnectionReset,
                io::ErrorKind::ConnectionAborted,
                io::ErrorKind::BrokenPipe,
            ];
            resets.contains(&error.kind())
        };
        if !error.is_connect() && io.is_some_and(is_reset) {
            return LlmError::ConnectionReset;
        }
        // An I/O error does not return the error that it wraps as its `source`.
        let wrapped = io.and_then(io::Error::get_ref);
        cause = match wrapped {
            Some(inner) => Some(inner),
            None => current.source(),
        };
    }
    if error.is_connect() {
        LlmError::Unreachable
    } else if in_body {
        LlmError::Truncated
    } else {
        LlmError::ConnectionReset
    }
}
