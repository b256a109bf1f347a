//! A loopback server that responds like GitHub, from the files in `fixtures/`.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A received request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeRequest {
    /// The path and the query, such as `/api/v3/user/repos?page=1`.
    pub target: String,
    /// The names in lower case, with their values.
    pub headers: Vec<(String, String)>,
}

impl FakeRequest {
    /// The value of a header; empty where it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value)
    }

    /// The path without the prefix of GitHub Enterprise APIs.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.strip_prefix("/api/v3").unwrap_or(&self.target)
    }
}

/// The response: the name of a fixture with replacements, or a kind of misbehaviour.
#[derive(Debug, Clone)]
pub enum FakeAnswer {
    /// The response of that name in `fixtures/`, with the first text of each pair replaced by the second. `{api}`,
    /// `{web}` and `{git}` are filled in.
    Fixture(&'static str, Vec<(String, String)>),
    /// That status and body, without GitHub's headers.
    Plain(u16, String),
    /// No response, ever.
    Silence,
    /// A body of that many bytes.
    Flood(usize),
}

impl FakeAnswer {
    /// A fixture as it is.
    #[must_use]
    pub fn fixture(name: &'static str) -> Self {
        Self::Fixture(name, Vec::new())
    }
}

type Answering = dyn Fn(&FakeRequest) -> FakeAnswer + Send + Sync;

/// The server. It serves until it is dropped.
pub struct FakeGithub {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<FakeRequest>>>,
    task: JoinHandle<()>,
}

impl FakeGithub {
    /// Starts a server that responds to every request by calling `answer`.
    pub async fn start(
        answer: impl Fn(&FakeRequest) -> FakeAnswer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, answer): (_, Arc<Answering>) = (requests.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, answer) = (log.clone(), answer.clone());
                tokio::spawn(async move {
                    // If a client disconnects, that is the test's concern and not the server's.
                    let _ = connection_serve(stream, address, &log, &*answer).await;
                });
            }
        });
        Self {
            address,
            requests,
            task,
        }
    }

    /// A server that returns these answers one after the other, and then repeats the last one.
    pub async fn answers(answers: Vec<FakeAnswer>) -> Self {
        let left = Mutex::new(answers);
        Self::start(move |_| {
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            if left.len() > 1 {
                left.remove(0)
            } else {
                left[0].clone()
            }
        })
        .await
    }

    /// Its base URL, as a person would write it: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests received so far.
    #[must_use]
    pub fn requests(&self) -> Vec<FakeRequest> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The paths and queries requested so far, without `/api/v3`.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.requests()
            .iter()
            .map(|request| request.path().to_owned())
            .collect()
    }
}

impl Drop for FakeGithub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves one request per connection: `Connection: close` keeps this small.
async fn connection_serve(
    mut stream: TcpStream,
    address: SocketAddr,
    log: &Mutex<Vec<FakeRequest>>,
    answer: &Answering,
) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    let first = lines.next_line().await?.unwrap_or_default();
    let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    while let Some(line) = lines.next_line().await?.filter(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let request = FakeRequest { target, headers };
    let answer = answer(&request);
    log.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request);
    let (head, body) = match answer {
        FakeAnswer::Silence => return std::future::pending().await,
        FakeAnswer::Plain(status, body) => (format!("HTTP/1.1 {status} Plain\r\n"), body),
        FakeAnswer::Flood(bytes) => ("HTTP/1.1 200 OK\r\n".to_owned(), "[".repeat(bytes)),
        FakeAnswer::Fixture(name, replaced) => {
            let mut text = fixture(name).to_owned();
            for (from, to) in replaced {
                text = text.replace(&from, &to);
            }
            let web = format!("http://{address}");
            let text = text
                .replace("{api}", &format!("{web}/api/v3"))
                .replace("{web}", &web)
                .replace("{git}", &web);
            let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
            (head.replace('\n', "\r\n") + "\r\n", body.to_owned())
        }
    };
    let length = body.len();
    let head = format!("{head}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    write.write_all(head.as_bytes()).await?;
    write.write_all(body.as_bytes()).await
}

/// Declares the fixtures.
macro_rules! fixtures {
    ($($name:literal)+) => {
        /// The text of a fixture.
        fn fixture(name: &str) -> &'static str {
            match name {
                $($name => include_str!(concat!("../fixtures/", $name, ".http")),)+
                other => panic!("there is no fixture {other}"),
            }
        }

        /// The names of all fixtures in `fixtures/`.
        pub const FIXTURES: &[&str] = &[$($name),+];
    };
}

fixtures! {
    "abuse_detected" "branches" "forbidden" "forbidden_sso" "moved" "moved_elsewhere" "not_found" "query_refused" "rate_limited"
    "rate_limited_429" "repositories_none" "repositories_page_1" "repositories_page_2" "repository" "repository_renamed" "search"
    "secondary_limited" "secondary_limited_429" "secondary_limited_bare" "server_error" "unauthorized" "viewer"
}
