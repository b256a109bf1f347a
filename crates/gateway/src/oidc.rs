//! OpenID Connect as its client: what the operator says of a service, and the two conversations with it. The journey of the browser is
//! [`crate::http`]'s.
//!
//! Authorization code with PKCE (S256), as [OpenID Connect Core](https://openid.net/specs/openid-connect-core-1_0.html) and
//! [RFC 9700](https://www.rfc-editor.org/rfc/rfc9700) ask. The PKCE verifier is what the browser keeps in its cookie, so that the server has nothing at rest that ends a
//! journey.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use nyxcore_tenancy::Env;
use nyxcore_tenancy::secret::Secret;
use nyxcore_tenancy::sign_in::OutsidePerson;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreProviderMetadata,
    CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AsyncHttpClient, AuthType, AuthorizationCode, ClaimsVerificationError,
    ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, SignatureVerificationError, TokenResponse,
};
use tokio::sync::Mutex;
use url::Url;

/// How long one request to a service may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer of a service that is read, in bytes: a set of keys is a few thousand.
const ANSWER_MAX: usize = 1 << 20;
/// How long what a service says of itself is taken as it is. Keys that changed meanwhile are asked for at once.
const METADATA_AGE: TimeDelta = TimeDelta::minutes(10);
/// How often keys are asked for at the most because a signature names one that is not known.
const METADATA_AGAIN: TimeDelta = TimeDelta::seconds(30);
/// How far ahead a service's clock may be.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(2);

/// A service that people sign in with, as the operator names it.
#[derive(Clone)]
pub struct OidcProvider {
    /// Its name in addresses: lower-case letters, digits and hyphens.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its issuer, as it names itself in what it signs.
    pub issuer: String,
    /// What it knows this server as.
    pub client_id: String,
    /// What this server proves that with.
    pub client_secret: Arc<Secret>,
}

impl fmt::Debug for OidcProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcProvider")
            .field("id", &self.id)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl OidcProvider {
    /// Looks at what an operator wrote.
    ///
    /// # Errors
    /// A sentence that says what is wrong, without the secret.
    pub fn check(&self) -> Result<(), String> {
        let id = &self.id;
        if nyxcore_tenancy::directory::slug_check(id).is_err() {
            return Err(format!(
                "the provider's id {id:?} must be lower-case letters, digits and hyphens"
            ));
        }
        let issuer = Url::parse(&self.issuer).ok();
        if !issuer.is_some_and(|url| url.scheme() == "https" || is_loopback(&url)) {
            return Err(format!(
                "the issuer of the provider {id:?} must be an https:// address"
            ));
        }
        if self.client_id.is_empty() || self.client_secret.expose().is_empty() {
            return Err(format!(
                "the provider {id:?} needs a client_id and a client_secret"
            ));
        }
        Ok(())
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Why a conversation came to nothing. The text is for the log; no token and no code is in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    /// The service does not answer, or not as it should.
    #[error("the service cannot be reached: {0}")]
    Unreachable(String),
    /// What the browser brought back does not hold.
    #[error("the service's word does not hold: {0}")]
    Refused(String),
}

/// A browser that is about to set out.
pub(crate) struct Departure {
    /// Where to.
    pub(crate) url: Url,
    /// What it is to bring back.
    pub(crate) state: String,
    /// What must stand in what the service signs.
    pub(crate) nonce: String,
    /// What it keeps in its cookie.
    pub(crate) verifier: String,
}

/// What a browser came back with.
pub(crate) struct Arrival<'a> {
    pub(crate) code: String,
    pub(crate) verifier: String,
    pub(crate) nonce: String,
    /// The address it set out with.
    pub(crate) redirect: &'a Url,
}

struct Known {
    metadata: Arc<CoreProviderMetadata>,
    since: DateTime<Utc>,
}

type ReadyClient = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// One service, ready to be talked to.
pub(crate) struct OidcClient {
    pub(crate) provider: OidcProvider,
    http: Http,
    known: Mutex<Option<Known>>,
}

impl OidcClient {
    /// Nothing is asked yet. The program has installed what TLS is done with.
    pub(crate) fn new(provider: OidcProvider) -> Result<Self, reqwest::Error> {
        let loopback = Url::parse(&provider.issuer).is_ok_and(|url| is_loopback(&url));
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .connect_timeout(PATIENCE / 2)
            .https_only(!loopback)
            .user_agent(concat!("nyxcore/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            provider,
            http: Http(http),
            known: Mutex::new(None),
        })
    }

    /// Where to send a browser.
    pub(crate) async fn depart(&self, env: &Env, redirect: &Url) -> Result<Departure, OidcError> {
        let metadata = self.metadata(env, METADATA_AGE).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = self
            .client(&metadata, redirect)
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(["email", "profile"].map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Departure {
            url,
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
        })
    }

    /// Exchanges the code, verifies what the service signed, and tells whom it vouches for.
    pub(crate) async fn arrive(
        &self,
        env: &Env,
        arrival: Arrival<'_>,
    ) -> Result<OutsidePerson, OidcError> {
        let metadata = self.metadata(env, METADATA_AGE).await?;
        let client = self.client(&metadata, arrival.redirect);
        let answer = client
            .exchange_code(AuthorizationCode::new(arrival.code))
            .map_err(|error| OidcError::Unreachable(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(arrival.verifier))
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                openidconnect::RequestTokenError::Request(error) => {
                    OidcError::Unreachable(error.to_string())
                }
                other => OidcError::Refused(other.to_string()),
            })?;
        let id_token = answer
            .id_token()
            .ok_or_else(|| OidcError::Refused("there is no ID token in its answer".into()))?;
        let nonce = Nonce::new(arrival.nonce);
        let now = env.now();
        let verify = |client: &ReadyClient| {
            let verifier = client
                .id_token_verifier()
                .set_time_fn(move || now)
                .set_issue_time_verifier_fn(move |at| {
                    let early = at <= now + CLOCK_SKEW;
                    early.then_some(()).ok_or("issued in the future".to_owned())
                });
            id_token.claims(&verifier, &nonce).cloned()
        };
        let claims = match verify(&client) {
            // The service has changed its keys since it was asked for them.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let metadata = self.metadata(env, METADATA_AGAIN).await?;
                verify(&self.client(&metadata, arrival.redirect))
            }
            other => other,
        };
        let claims = claims.map_err(|error| OidcError::Refused(error.to_string()))?;
        if let Some(expected) = claims.access_token_hash() {
            let verifier = client.id_token_verifier();
            let algorithm = id_token
                .signing_alg()
                .map_err(|error| OidcError::Refused(error.to_string()))?;
            let key = id_token
                .signing_key(&verifier)
                .map_err(|error| OidcError::Refused(error.to_string()))?;
            let found = AccessTokenHash::from_token(answer.access_token(), algorithm, key)
                .map_err(|error| OidcError::Refused(error.to_string()))?;
            if found != *expected {
                let reason = "the access token is not the one that was signed for";
                return Err(OidcError::Refused(reason.into()));
            }
        }
        let mut person = OutsidePerson {
            provider: self.provider.id.clone(),
            issuer: claims.issuer().to_string(),
            subject: claims.subject().to_string(),
            email: claims.email().map(|email| email.to_string()),
            email_verified: claims.email_verified().unwrap_or(false),
            name: claims
                .name()
                .and_then(|name| name.get(None))
                .map(|name| name.to_string()),
        };
        // Some services sign only who it is, and tell the rest at another address.
        if person.email.is_none() && metadata.userinfo_endpoint().is_some() {
            let told: CoreUserInfoClaims = client
                .user_info(
                    answer.access_token().clone(),
                    Some(claims.subject().clone()),
                )
                .map_err(|error| OidcError::Unreachable(error.to_string()))?
                .request_async(&self.http)
                .await
                .map_err(|error| OidcError::Refused(error.to_string()))?;
            person.email = told.email().map(|email| email.to_string());
            person.email_verified = told.email_verified().unwrap_or(false);
            let name = told.name().and_then(|name| name.get(None));
            person.name = name.map(|name| name.to_string()).or(person.name);
        }
        Ok(person)
    }

    fn client(&self, metadata: &CoreProviderMetadata, redirect: &Url) -> ReadyClient {
        let secret = String::from_utf8_lossy(self.provider.client_secret.expose()).into_owned();
        let methods = metadata.token_endpoint_auth_methods_supported();
        let by_header = methods
            .is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
        let auth = if by_header {
            AuthType::BasicAuth
        } else {
            AuthType::RequestBody
        };
        CoreClient::from_provider_metadata(
            metadata.clone(),
            ClientId::new(self.provider.client_id.clone()),
            Some(ClientSecret::new(secret)),
        )
        .set_auth_type(auth)
        .set_redirect_uri(RedirectUrl::from_url(redirect.clone()))
    }

    /// What the service says of itself, no older than that.
    async fn metadata(
        &self,
        env: &Env,
        age: TimeDelta,
    ) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let unreachable = |error: String| OidcError::Unreachable(error);
        let mut known = self.known.lock().await;
        let now = env.now();
        if let Some(known) = known.as_ref().filter(|known| now - known.since < age) {
            return Ok(Arc::clone(&known.metadata));
        }
        let issuer = IssuerUrl::new(self.provider.issuer.clone())
            .map_err(|error| unreachable(error.to_string()))?;
        let metadata = CoreProviderMetadata::discover_async(issuer, &self.http)
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let metadata = Arc::new(metadata);
        *known = Some(Known {
            metadata: Arc::clone(&metadata),
            since: now,
        });
        Ok(metadata)
    }
}

/// Why a request to a service failed. Addresses are left out: they may hold what is none of the log's business.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("{0}")]
    Transport(reqwest::Error),
    #[error("the answer is larger than {ANSWER_MAX} bytes")]
    TooLarge,
}

impl From<reqwest::Error> for CallError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error.without_url())
    }
}

/// The client as the library takes one.
struct Http(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = CallError;
    type Future = BoxFuture<'c, Result<HttpResponse, CallError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut answer = self.0.execute(request.try_into()?).await?;
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                if body.len() + chunk.len() > ANSWER_MAX {
                    return Err(CallError::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            let mut response = HttpResponse::new(body);
            *response.status_mut() = answer.status();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            Ok(response)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(id: &str, issuer: &str, secret: &str) -> OidcProvider {
        OidcProvider {
            id: id.into(),
            name: "Example".into(),
            issuer: issuer.into(),
            client_id: "nyxcore".into(),
            client_secret: Arc::new(Secret::new(secret)),
        }
    }

    #[test]
    fn a_provider_needs_https_but_on_this_machine() {
        for issuer in [
            "https://login.example.org",
            "http://127.0.0.1:9000",
            "http://[::1]:9000",
            "http://localhost:9000/realm",
        ] {
            assert_eq!(provider("a-1", issuer, "secret").check(), Ok(()));
        }
        for (id, issuer, secret) in [
            ("a", "http://login.example.org", "s"),
            ("a", "http://127.0.0.1.example.org", "s"),
            ("a", "login.example.org", "s"),
            ("A b", "https://login.example.org", "s"),
            ("", "https://login.example.org", "s"),
            ("a", "https://login.example.org", ""),
        ] {
            assert!(
                provider(id, issuer, secret).check().is_err(),
                "{id} {issuer}"
            );
        }
    }

    #[test]
    fn debug_does_not_show_the_client_secret() {
        let shown = format!(
            "{:?}",
            provider("a", "https://login.example.org", "hush-hush")
        );
        assert!(!shown.contains("hush"), "{shown}");
    }
}
