//! An OpenID Connect client: the operator's settings of a provider, and the two requests to it. [`crate::http`]
//! handles the browser.
//!
//! It uses the authorization code flow with PKCE (S256), as required by [OpenID Connect
//! Core](https://openid.net/specs/openid-connect-core-1_0.html) and [RFC
//! 9700](https://www.rfc-editor.org/rfc/rfc9700). The PKCE verifier is in the browser's cookie, so nothing stored on
//! the server can complete a flow.

mod claims;
mod provider;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_tenancy::Env;
use nyxcore_tenancy::sign_in::ExternalIdentity;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims,
    CoreJsonWebKey, CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId,
    ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, JsonWebKey,
    JwsSigningAlgorithm, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, SignatureVerificationError, TokenResponse,
};
use tokio::sync::Mutex;
use url::Url;

pub(crate) use claims::ClaimError;
use claims::{Profile, SentToken};
pub use provider::OidcProvider;
use provider::is_loopback;
use transport::{CallError, Http, TokenHttp};

/// How long one request to a provider may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a provider's metadata is cached. A key that is not in it is asked for earlier.
const METADATA_AGE: TimeDelta = TimeDelta::minutes(10);
/// The minimum interval between requests for the metadata that a signature with an unknown key causes.
const METADATA_AGAIN: TimeDelta = TimeDelta::seconds(30);
/// How far ahead a provider's clock may be.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(2);

/// Why a sign-in with a provider failed. The text is for the log; it contains no token and no code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    /// The provider does not answer, or its answer is invalid.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    /// The callback of the browser is invalid.
    #[error("the response of the provider is invalid: {0}")]
    Refused(String),
    /// A claim is missing or invalid. The text names the claim and may be shown.
    #[error("{0}")]
    Claim(#[from] ClaimError),
}

/// The redirect of a browser to the provider.
pub(crate) struct AuthorizationRequest {
    /// The URL of the redirect.
    pub(crate) url: Url,
    /// The state that the callback must return.
    pub(crate) state: String,
    /// The nonce that the signed ID token must contain.
    pub(crate) nonce: String,
    /// The PKCE verifier, which the browser keeps in its cookie.
    pub(crate) verifier: String,
}

/// The data of a callback.
pub(crate) struct CallbackParameters<'a> {
    pub(crate) code: String,
    pub(crate) verifier: String,
    pub(crate) nonce: String,
    /// The callback URL that the flow began with.
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

/// The client of one provider.
pub(crate) struct OidcClient {
    pub(crate) provider: OidcProvider,
    http: Http,
    known: Mutex<Option<CachedMetadata>>,
}

impl OidcClient {
    /// Makes no request yet. The program has installed a TLS crypto provider before.
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

    /// Builds the redirect to the provider.
    pub(crate) async fn authorization_redirect(
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

    /// Exchanges the code, verifies the ID token, and returns the identity.
    pub(crate) async fn exchange_code(
        &self,
        env: &Env,
        callback: CallbackParameters<'_>,
    ) -> Result<ExternalIdentity, OidcError> {
        let metadata = self.metadata(env, METADATA_AGE).await?;
        let client = self.client(&metadata, callback.redirect);
        let sent = TokenHttp::new(&self.http);
        let answer = client
            .exchange_code(AuthorizationCode::new(callback.code))
            .map_err(|error| OidcError::Unreachable(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(callback.verifier))
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
        let nonce = Nonce::new(callback.nonce);
        let now = env.now();
        let access_token = answer.access_token();
        let token = (id_token, &sent);
        let claims = match self.verify(&metadata, &client, token, access_token, &nonce, now) {
            // The provider has changed its keys since the metadata was read.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let metadata = self.metadata(env, METADATA_AGAIN).await?;
                let client = self.client(&metadata, callback.redirect);
                self.verify(&metadata, &client, token, access_token, &nonce, now)
            }
            other => other,
        };
        let claims = claims.map_err(|error| OidcError::Refused(error.to_string()))?;
        let mut profile = sent.profile();
        // Some providers sign only the subject, and return the other claims at the userinfo endpoint.
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

    /// Verifies the token's signature over the token as it was sent. The library then verifies the claims in a token
    /// without those that are not needed.
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
        // The signature was verified above: the library gets another text than the signed one.
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

    /// Verifies the signature of the token as it was sent, by an algorithm that the provider's metadata lists. Returns
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

    /// The provider's metadata, no older than `age`.
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
