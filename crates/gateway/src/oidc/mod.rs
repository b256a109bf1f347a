//! An OpenID Connect client: the operator's settings of a provider, and the two requests to it. [`crate::http`]
//! handles the browser.
//!
//! It uses the authorization code flow with PKCE (S256), as required by [OpenID Connect
//! Core](https://openid.net/specs/openid-connect-core-1_0.html) and [RFC
//! 9700](https://www.rfc-editor.org/rfc/rfc9700). The PKCE verifier is in the browser's cookie, so nothing stored on
//! the server can complete a flow.
//!
//! Longer than 450 lines: the two requests to a provider share their client and its cache.

mod claims;

use std::fmt;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use nyxcore_tenancy::Env;
use nyxcore_tenancy::secret::Secret;
use nyxcore_tenancy::sign_in::ExternalIdentity;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims,
    CoreJsonWebKey, CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AsyncHttpClient, AuthType, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, JsonWebKey, JwsSigningAlgorithm, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    SignatureVerificationError, TokenResponse,
};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

pub(crate) use claims::ClaimError;
use claims::{Profile, SentToken};

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
    /// The issuer, as in the provider's tokens.
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
    /// Validates the operator's settings.
    ///
    /// # Errors
    /// A message that says what is wrong, without the secret.
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
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    /// The callback of the browser is invalid.
    #[error("the response of the provider is invalid: {0}")]
    Refused(String),
    /// A claim is missing or not as it must be. The text names the claim and may be shown.
    #[error("{0}")]
    Claim(#[from] ClaimError),
}

/// A browser that is about to set out.
pub(crate) struct AuthorizationRequest {
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
pub(crate) struct AuthorizationResponse<'a> {
    pub(crate) code: String,
    pub(crate) verifier: String,
    pub(crate) nonce: String,
    /// The address it set out with.
    pub(crate) redirect: &'a Url,
}

struct CachedMetadata {
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
    known: Mutex<Option<CachedMetadata>>,
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
    pub(crate) async fn depart(
        &self,
        env: &Env,
        redirect: &Url,
    ) -> Result<AuthorizationRequest, OidcError> {
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
        Ok(AuthorizationRequest {
            url,
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
        })
    }

    /// Exchanges the code, verifies the signed token, and returns the identity.
    pub(crate) async fn arrive(
        &self,
        env: &Env,
        arrival: AuthorizationResponse<'_>,
    ) -> Result<ExternalIdentity, OidcError> {
        let metadata = self.metadata(env, METADATA_AGE).await?;
        let client = self.client(&metadata, arrival.redirect);
        let sent = TokenHttp::new(&self.http);
        let answer = client
            .exchange_code(AuthorizationCode::new(arrival.code))
            .map_err(|error| OidcError::Unreachable(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(arrival.verifier))
            .request_async(&sent)
            .await
            .map_err(|error| match error {
                openidconnect::RequestTokenError::Request(CallError::Claim(error)) => error.into(),
                openidconnect::RequestTokenError::Request(error) => {
                    OidcError::Unreachable(error.to_string())
                }
                other => OidcError::Refused(other.to_string()),
            })?;
        let (Some(id_token), Some(sent)) = (answer.id_token(), sent.take()) else {
            let reason = "there is no ID token in its answer";
            return Err(OidcError::Refused(reason.into()));
        };
        let nonce = Nonce::new(arrival.nonce);
        let now = env.now();
        let access_token = answer.access_token();
        let token = (id_token, &sent);
        let claims = match self.verify(&metadata, &client, token, access_token, &nonce, now) {
            // The service has changed its keys since it was asked for them.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let metadata = self.metadata(env, METADATA_AGAIN).await?;
                let client = self.client(&metadata, arrival.redirect);
                self.verify(&metadata, &client, token, access_token, &nonce, now)
            }
            other => other,
        };
        let claims = claims.map_err(|error| OidcError::Refused(error.to_string()))?;
        let mut profile = sent.profile();
        // Some services sign only who it is, and tell the rest at another address.
        if let (None, Some(address)) = (&profile.email, metadata.userinfo_endpoint()) {
            let body = self.http.userinfo(address.url(), access_token).await?;
            let told = Profile::of_userinfo(&body, claims.subject())?;
            profile = Profile {
                name: told.name.or(profile.name),
                ..told
            };
        }
        Ok(ExternalIdentity {
            provider: self.provider.id.clone(),
            issuer: claims.issuer().to_string(),
            subject: claims.subject().to_string(),
            email: profile.email,
            email_verified: profile.email_verified,
            name: profile.name,
        })
    }

    /// Verifies the token's signature as it was sent, and its claims by the library, which is given the token without
    /// the claims that are not needed.
    fn verify(
        &self,
        metadata: &CoreProviderMetadata,
        client: &ReadyClient,
        (reduced, sent): (&CoreIdToken, &SentToken),
        access_token: &AccessToken,
        nonce: &Nonce,
        now: DateTime<Utc>,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        use ClaimsVerificationError::SignatureVerification;
        let (algorithm, key) = self
            .signature_verify(metadata, client, (reduced, sent))
            .map_err(SignatureVerification)?;
        // The signature was verified above: the library sees another text than was signed.
        let verifier = client
            .id_token_verifier()
            .insecure_disable_signature_check()
            .set_time_fn(move || now)
            .set_issue_time_verifier_fn(move |at| {
                let early = at <= now + CLOCK_SKEW;
                early.then_some(()).ok_or("issued in the future".to_owned())
            });
        let claims = reduced.claims(&verifier, nonce)?;
        if let Some(expected) = claims.access_token_hash() {
            let found = AccessTokenHash::from_token(access_token, algorithm, &key).ok();
            if found.as_ref() != Some(expected) {
                let reason = "the access token is not the one that was signed for".to_owned();
                return Err(ClaimsVerificationError::Other(reason));
            }
        }
        Ok(claims.clone())
    }

    /// Verifies the signature of the token as it was sent, by an algorithm that the service says it uses. Returns both
    /// the algorithm and the key.
    fn signature_verify<'t>(
        &self,
        metadata: &CoreProviderMetadata,
        client: &ReadyClient,
        (reduced, sent): (&'t CoreIdToken, &SentToken),
    ) -> Result<(&'t CoreJwsSigningAlgorithm, CoreJsonWebKey), SignatureVerificationError> {
        let algorithm = reduced.signing_alg()?;
        let allowed = metadata.id_token_signing_alg_values_supported();
        if !allowed.contains(algorithm) {
            let reason = "the service does not sign by the algorithm of the ID token".to_owned();
            return Err(SignatureVerificationError::DisallowedAlg(reason));
        }
        let key = if algorithm.uses_shared_secret() {
            CoreJsonWebKey::new_symmetric(self.provider.client_secret.expose().to_vec())
        } else {
            reduced.signing_key(&client.id_token_verifier())?.clone()
        };
        let (message, signature) = sent
            .signed()
            .map_err(|_| SignatureVerificationError::NoSignature)?;
        key.verify_signature(algorithm, message, &signature)?;
        Ok((algorithm, key))
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
        *known = Some(CachedMetadata {
            metadata: Arc::clone(&metadata),
            since: now,
        });
        Ok(metadata)
    }
}

/// Why a request to a provider failed. URLs are omitted, because they may contain secrets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("{0}")]
    Transport(reqwest::Error),
    #[error("the response is larger than {ANSWER_MAX} bytes")]
    TooLarge,
    #[error("the response has the status {0}")]
    Status(u16),
    #[error("{0}")]
    Claim(#[from] ClaimError),
}

impl From<reqwest::Error> for CallError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error.without_url())
    }
}

/// The client as the library takes one.
struct Http(reqwest::Client);

impl Http {
    /// The claims of the userinfo endpoint for the user of the access token.
    async fn userinfo(&self, address: &Url, token: &AccessToken) -> Result<Vec<u8>, OidcError> {
        let request = self.0.get(address.clone()).bearer_auth(token.secret());
        let answer = async {
            let mut answer = request.send().await?;
            if !answer.status().is_success() {
                return Err(CallError::Status(answer.status().as_u16()));
            }
            body_read(&mut answer).await
        };
        answer
            .await
            .map_err(|error| OidcError::Refused(format!("userinfo endpoint: {error}")))
    }
}

/// Reads a body of up to [`ANSWER_MAX`] bytes.
async fn body_read(answer: &mut reqwest::Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > ANSWER_MAX {
            return Err(CallError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = CallError;
    type Future = BoxFuture<'c, Result<HttpResponse, CallError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut answer = self.0.execute(request.try_into()?).await?;
            let body = body_read(&mut answer).await?;
            let mut response = HttpResponse::new(body);
            *response.status_mut() = answer.status();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            Ok(response)
        })
    }
}

/// The client for the token endpoint: keeps the ID token as it was sent, and hands the library the one it can read.
struct TokenHttp<'h> {
    http: &'h Http,
    sent: SyncMutex<Option<SentToken>>,
}

impl<'h> TokenHttp<'h> {
    fn new(http: &'h Http) -> Self {
        Self {
            http,
            sent: SyncMutex::new(None),
        }
    }

    fn take(&self) -> Option<SentToken> {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// The body of the response, with the ID token reduced to the verified claims. Another body is returned unchanged.
    fn reduce(&self, body: Vec<u8>) -> Result<Vec<u8>, ClaimError> {
        let Ok(mut answer) = serde_json::from_slice::<serde_json::Map<String, Value>>(&body) else {
            return Ok(body);
        };
        let Some(Value::String(token)) = answer.get_mut("id_token") else {
            return Ok(body);
        };
        let sent = SentToken::parse(token)?;
        *token = sent.reduced();
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
        Ok(Value::Object(answer).to_string().into_bytes())
    }
}

impl<'c> AsyncHttpClient<'c> for TokenHttp<'_> {
    type Error = CallError;
    type Future = BoxFuture<'c, Result<HttpResponse, CallError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let response = self.http.call(request).await?;
            let (parts, body) = response.into_parts();
            Ok(HttpResponse::from_parts(parts, self.reduce(body)?))
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
