//! The cookies of a signed-in browser: the session and the chosen tenant. Scripts cannot read either.
//!
//! Over HTTPS their names begin with `__Host-`: a browser accepts such a cookie only from this host, over HTTPS, for
//! all paths ([RFC
//! 6265bis](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix)).

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use nyxcore_tenancy::directory::slug_check;
use nyxcore_tenancy::sign_in::SESSION_LIFE;

use super::problem::Problem;

/// The name of the session's cookie, without the prefix.
const SESSION: &str = "nyxcore_session";
/// The name of the tenant's cookie, without the prefix.
const TENANT: &str = "nyxcore_tenant";
/// The prefix of cookies that are sent over HTTPS only.
const HOST: &str = "__Host-";
/// The maximum length of the value of one of our cookies.
const VALUE_MAX: usize = 512;

/// How cookies are written and read for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cookies {
    /// Whether they are for HTTPS only.
    secure: bool,
}

impl Cookies {
    /// `secure` says whether the browser is to send them over HTTPS only.
    pub(super) fn new(secure: bool) -> Self {
        Self { secure }
    }

    /// Whether they are for HTTPS only.
    pub(super) fn is_secure(self) -> bool {
        self.secure
    }

    /// The secret of the session that a browser presents.
    pub(super) fn session(self, headers: &HeaderMap) -> Result<Option<String>, Problem> {
        self.read(headers, SESSION)
    }

    /// The slug of the tenant that a browser has chosen.
    pub(super) fn tenant(self, headers: &HeaderMap) -> Result<Option<String>, Problem> {
        let slug = self.read(headers, TENANT)?;
        match slug {
            Some(slug) if slug_check(&slug).is_err() => Err(malformed()),
            slug => Ok(slug),
        }
    }

    /// Sets the session's cookie. It expires no later than the session.
    pub(super) fn session_set(self, secret: &str) -> HeaderValue {
        self.set(SESSION, secret, SESSION_LIFE.num_seconds())
    }

    /// Sets the tenant's cookie.
    pub(super) fn tenant_set(self, slug: &str) -> HeaderValue {
        self.set(TENANT, slug, SESSION_LIFE.num_seconds())
    }

    /// Removes both cookies from the browser.
    pub(super) fn clear(self) -> [HeaderValue; 2] {
        [SESSION, TENANT].map(|name| self.set(name, "", 0))
    }

    /// Reads one of our cookies by its name without the prefix. A repeated name does not come from us and is refused.
    pub(super) fn read(self, headers: &HeaderMap, name: &str) -> Result<Option<String>, Problem> {
        let name = self.name(name);
        let mut found = None;
        for value in headers.get_all(header::COOKIE) {
            let text = value.to_str().map_err(|_| malformed())?;
            // Cookies of other programs are skipped, well formed or not.
            for cookie in Cookie::split_parse(text).flatten() {
                if cookie.name() != name {
                    continue;
                }
                if found.is_some() || cookie.value().len() > VALUE_MAX {
                    return Err(malformed());
                }
                found = Some(cookie.value().to_owned());
            }
        }
        Ok(found)
    }

    /// Writes one of our cookies by its name without the prefix. With 0 seconds the browser removes it. `value` has
    /// only characters that a cookie may contain.
    pub(super) fn set(self, name: &str, value: &str, seconds: i64) -> HeaderValue {
        let mut cookie = Cookie::new(self.name(name), value);
        cookie.set_http_only(true);
        cookie.set_same_site(SameSite::Lax);
        cookie.set_path("/");
        if self.secure {
            cookie.set_secure(true);
        }
        cookie.set_max_age(Duration::seconds(seconds));
        HeaderValue::from_str(&cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    fn name(self, name: &str) -> String {
        format!("{}{name}", if self.secure { HOST } else { "" })
    }
}

fn malformed() -> Problem {
    Problem::new(
        axum::http::StatusCode::BAD_REQUEST,
        "COOKIE_MALFORMED",
        "a cookie of this site is invalid: clear the cookies of this site and sign in again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_bytes(cookie).unwrap());
        }
        headers
    }

    #[test]
    fn over_https_a_cookie_is_bound_to_the_host() {
        let set = Cookies::new(true).session_set("nyxs_a_b");
        assert_eq!(
            set,
            "__Host-nyxcore_session=nyxs_a_b; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000"
        );
        let set = Cookies::new(false).tenant_set("acme");
        assert_eq!(
            set,
            "nyxcore_tenant=acme; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000"
        );
    }

    #[test]
    fn a_cookie_is_found_among_those_of_others() {
        let plain = Cookies::new(false);
        let headers = headers(&[b"a=1; nyxcore_session=s; ;=; x", b"nyxcore_tenant=acme"]);
        assert_eq!(plain.session(&headers).unwrap().as_deref(), Some("s"));
        assert_eq!(plain.tenant(&headers).unwrap().as_deref(), Some("acme"));
        // Over HTTPS a cookie without the prefix is ignored: another host of the domain may have set it.
        assert_eq!(Cookies::new(true).session(&headers).unwrap(), None);
    }

    #[test]
    fn what_is_not_as_it_was_set_is_refused() {
        let long = format!("nyxcore_session={}", "x".repeat(VALUE_MAX + 1));
        for cookies in [
            [b"nyxcore_session=a; nyxcore_session=b".as_slice()].as_slice(),
            &[b"nyxcore_session=a", b"nyxcore_session=b"],
            &[b"nyxcore_session=\xff\xfe"],
            &[long.as_bytes()],
        ] {
            assert!(Cookies::new(false).session(&headers(cookies)).is_err());
        }
        for slug in [
            "nyxcore_tenant=a b",
            "nyxcore_tenant=../x",
            "nyxcore_tenant=",
        ] {
            let headers = headers(&[slug.as_bytes()]);
            assert!(Cookies::new(false).tenant(&headers).is_err(), "{slug}");
        }
    }
}
