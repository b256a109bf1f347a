//! A minimal browser: cookies, and redirects that are followed one by one.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header;
use serde_json::Value;

/// How long one response may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// More redirects than any login flow has.
const REDIRECTS_MAX: usize = 20;

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
    /// The `Set-Cookie` headers.
    pub(crate) set_cookie: Vec<String>,
    /// The cookies by name and value.
    pub(crate) cookies: Vec<(String, String)>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The stable error code.
    pub(crate) fn code(&self) -> &str {
        let at = self.body.find("\"code\":\"").map(|at| &self.body[at + 8..]);
        at.and_then(|rest| rest.split('"').next())
            .unwrap_or_default()
    }
}

/// A browser that accesses one server by its address.
pub(crate) struct Browser {
    base: String,
    /// The origin to which the provider redirects browsers.
    public: String,
    client: reqwest::Client,
    /// By origin and name; paths are ignored, because no two cookies here differ by path.
    cookies: BTreeMap<(String, String), String>,
}

impl Browser {
    pub(crate) fn new(base: &str) -> Self {
        Self::behind(base, base)
    }

    /// As [`new`](Self::new), for a server whose public address is different.
    pub(crate) fn behind(base: &str, public: &str) -> Self {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build();
        Self {
            base: base.to_owned(),
            public: public.to_owned(),
            client: client.unwrap(),
            cookies: BTreeMap::new(),
        }
    }

    /// Requests a path of the server, or an absolute address.
    pub(crate) async fn get(&mut self, address: &str) -> Answer {
        self.send(reqwest::Method::GET, address, None).await
    }

    /// The names of the server's cookies.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        let ours = self
            .cookies
            .keys()
            .filter(|(origin, _)| *origin == self.base);
        ours.map(|(_, name)| name.as_str()).collect()
    }

    /// Copies the names of another browser's cookies, with a different value.
    pub(crate) fn cookie_forge(&mut self, other: &Self, value: &str) {
        for (place, _) in other
            .cookies
            .iter()
            .filter(|((origin, _), _)| *origin == self.base)
        {
            self.cookies.insert(place.clone(), value.to_owned());
        }
    }

    /// A complete login flow; returns the response to the redirect back.
    pub(crate) async fn sign_in(&mut self, person: &str, path: &str) -> Answer {
        let back = self.travel(person, path).await;
        self.get(&back).await
    }

    /// Follows the flow through the provider, up to the address to which it redirects the browser.
    pub(crate) async fn travel(&mut self, person: &str, path: &str) -> String {
        let out = self.get(path).await;
        let out = out.location.unwrap_or_else(|| panic!("{}", out.body));
        self.travel_from(person, &out).await
    }

    /// As [`travel`](Self::travel), from the provider's address on.
    pub(crate) async fn travel_from(&mut self, person: &str, out: &str) -> String {
        let mut address = out.to_owned();
        for _ in 0..REDIRECTS_MAX {
            let mut answer = self.get(&address).await;
            // The provider's own pages: login and consent.
            let prompt = ["login", "consent"];
            let asked = prompt.into_iter().find(|name| {
                answer
                    .body
                    .contains(&format!("name=\"prompt\" value=\"{name}\""))
            });
            if let Some(asked) = asked {
                let form = [("prompt", asked), ("login", person), ("password", "any")];
                let form = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(form)
                    .finish();
                answer = self.send(reqwest::Method::POST, &address, Some(form)).await;
            }
            let next = answer.location.as_ref();
            let next = next.unwrap_or_else(|| panic!("the provider is stuck: {answer:?}"));
            let next = url::Url::parse(&address).unwrap().join(next).unwrap();
            address = next.to_string();
            if let Some(path) = address.strip_prefix(&self.public) {
                return format!("{}{path}", self.base);
            }
        }
        panic!("the provider never sent the browser back");
    }

    async fn send(
        &mut self,
        method: reqwest::Method,
        address: &str,
        form: Option<String>,
    ) -> Answer {
        let address = if address.starts_with('/') {
            format!("{}{address}", self.base)
        } else {
            address.to_owned()
        };
        let origin = url::Url::parse(&address)
            .unwrap()
            .origin()
            .ascii_serialization();
        let ours = self.cookies.iter().filter(|((of, _), _)| *of == origin);
        let cookies: Vec<String> = ours
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let mut request = self.client.request(method, &address);
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if let Some(form) = form {
            request = request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form);
        }
        let answer = request.send().await.unwrap();
        let text = |value: &header::HeaderValue| value.to_str().unwrap().to_owned();
        let location = answer.headers().get(header::LOCATION).map(text);
        let set_cookie: Vec<String> = answer
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .map(text)
            .collect();
        let pairs = set_cookie.iter().map(|cookie| {
            let pair = cookie.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        });
        let cookies: Vec<(String, String)> = pairs.collect();
        for (name, value) in &cookies {
            let place = (origin.clone(), name.clone());
            if value.is_empty() {
                self.cookies.remove(&place);
            } else {
                self.cookies.insert(place, value.clone());
            }
        }
        Answer {
            status: answer.status().as_u16(),
            location,
            body: answer.text().await.unwrap(),
            set_cookie,
            cookies,
        }
    }
}
