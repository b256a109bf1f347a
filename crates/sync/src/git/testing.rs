//! Test repositories created with git, and a git server on loopback, for tests here and in the crates above.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Seconds since 1970 of a test repository's first commit: 2026-01-01T00:00:00Z. Each commit is a minute later.
pub const FIRST_COMMIT_SECONDS: i64 = 1_767_225_600;

/// A repository with a work tree, for tests.
#[derive(Debug)]
pub struct TestRepository {
    path: PathBuf,
    commits: i64,
}

impl TestRepository {
    /// `git init` in `path`, on branch `main`. Commit ids depend only on the committed content.
    ///
    /// # Panics
    /// Like all functions of this type, if git fails: a test cannot continue then.
    #[must_use]
    pub fn create(path: impl Into<PathBuf>) -> Self {
        let repository = Self {
            path: path.into(),
            commits: 0,
        };
        fs::create_dir_all(&repository.path).expect("the folder can be made");
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    /// The work tree.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let file = self.path.join(path);
        fs::create_dir_all(file.parent().expect("a file is in a folder"))
            .expect("the folder can be made");
        fs::write(file, content).expect("the file can be written");
        self
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.path.join(path)).expect("the file is there");
        self
    }

    /// Commits everything in the work tree, a minute after the previous commit, and returns the commit's id.
    pub fn commit(&mut self, message: &str) -> String {
        let seconds = FIRST_COMMIT_SECONDS + self.commits * 60;
        self.commit_at(message, seconds)
    }

    /// Commits everything in the work tree at a given time.
    pub fn commit_at(&mut self, message: &str, seconds: i64) -> String {
        self.commits += 1;
        self.git(&["add", "--all"]);
        let date = format!("{seconds} +0000");
        self.git_with(
            &["commit", "--quiet", "--allow-empty", "-m", message],
            &[("GIT_AUTHOR_DATE", &date), ("GIT_COMMITTER_DATE", &date)],
            &[],
        );
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git in the repository and returns its output, trimmed.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_with(arguments, &[], &[])
    }

    /// Runs git with additional environment variables and `input` on its standard input.
    pub fn git_with(
        &self,
        arguments: &[&str],
        environment: &[(&str, &str)],
        input: &[u8],
    ) -> String {
        let mut child = git_command(&self.path)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git starts");
        io::Write::write_all(&mut child.stdin.take().expect("a pipe"), input)
            .expect("git reads its input");
        let output = child.wait_with_output().expect("git ends");
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

fn git_command(directory: &Path) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test plays the user and the remote, whose git is not ours"
    )]
    let mut command = Command::new("git");
    command
        .current_dir(directory)
        .env_remove("GIT_DIR")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Test")
        .env("GIT_AUTHOR_EMAIL", "test@example.org")
        .env("GIT_COMMITTER_NAME", "Test")
        .env("GIT_COMMITTER_EMAIL", "test@example.org");
    command
}

/// How a [`GitHttpServer`] behaves.
#[derive(Debug, Clone, Default)]
pub struct GitHttpOptions {
    /// Whether clients may leave out large files (`uploadpack.allowFilter`).
    pub filter: bool,
    /// Answer everything with this status and, for redirects, this `Location`.
    pub refuse: Option<(u16, String)>,
    /// The user name and the password that every request must send, by `Authorization: Basic`.
    pub credentials: Option<(String, String)>,
    /// Accept requests and never answer them.
    pub silent: bool,
    /// Answer fetches slowly: the body in small pieces, until the client disconnects.
    pub endless: bool,
}

/// A server of the repositories below a folder, over HTTP on loopback, by `git http-backend`.
#[derive(Debug)]
pub struct GitHttpServer {
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl GitHttpServer {
    /// Serves `root` until it is dropped.
    pub async fn start(root: &Path, options: GitHttpOptions) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (root, log) = (root.to_owned(), requests.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (root, options, log) = (root.clone(), options.clone(), log.clone());
                tokio::spawn(async move {
                    // A client may disconnect at any time; the test checks the consequences.
                    let _ = connection_serve(stream, &root, &options, &log).await;
                });
            }
        });
        Self {
            address,
            requests,
            task,
        }
    }

    /// The URL of the repository at `path` below the root (for a work tree, its `.git`).
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The request lines so far, like `GET /a/info/refs?service=git-upload-pack`.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.requests
            .lock()
            .expect("no test panics while it holds this")
            .clone()
    }
}

impl Drop for GitHttpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves one request per connection: `Connection: close` keeps this small.
async fn connection_serve(
    mut stream: TcpStream,
    root: &Path,
    options: &GitHttpOptions,
    log: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut reader = BufReader::new(read);
    let mut line = String::new();
    reader.read_line(&mut line).await?;
    let mut words = line.split_whitespace();
    let (method, target) = (
        words.next().unwrap_or_default().to_owned(),
        words.next().unwrap_or_default().to_owned(),
    );
    log.lock()
        .expect("no test panics while it holds this")
        .push(format!("{method} {target}"));
    let mut headers = HashMap::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).await? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    if let Some((user, password)) = &options.credentials {
        let pair = STANDARD.encode(format!("{user}:{password}"));
        if headers.get("authorization") != Some(&format!("Basic {pair}")) {
            let refused = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            return write.write_all(refused).await;
        }
    }
    if options.silent {
        return std::future::pending().await;
    }
    if let Some((status, location)) = &options.refuse {
        let head = format!(
            "HTTP/1.1 {status} Refused\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        return write.write_all(head.as_bytes()).await;
    }
    if headers
        .get("expect")
        .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    {
        write.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let mut body = Vec::new();
    if headers
        .get("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    {
        loop {
            line.clear();
            reader.read_line(&mut line).await?;
            let size = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).await?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    } else {
        let size: usize = headers
            .get("content-length")
            .and_then(|value| value.parse().ok())
            .unwrap_or_default();
        body.resize(size, 0);
        reader.read_exact(&mut body).await?;
    }
    // In protocol version 2 the request that fetches objects says so; the one before it only lists refs.
    if options.endless && body.windows(13).any(|window| window == b"command=fetch") {
        write.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-result\r\nConnection: close\r\n\r\n000dpackfile\n").await?;
        loop {
            write
                .write_all(b"0025\x02Counting objects: 1, still going\n")
                .await?;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    let (status, head, content) =
        backend_run(root, options, &method, &target, &headers, body).await?;
    let length = content.len();
    write
        .write_all(
            format!(
                "HTTP/1.1 {status}\r\n{head}Content-Length: {length}\r\nConnection: close\r\n\r\n"
            )
            .as_bytes(),
        )
        .await?;
    write.write_all(&content).await
}

/// Runs `git http-backend` as CGI and splits its answer into status, headers and body.
async fn backend_run(
    root: &Path,
    options: &GitHttpOptions,
    method: &str,
    target: &str,
    headers: &HashMap<String, String>,
    body: Vec<u8>,
) -> io::Result<(String, String, Vec<u8>)> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut command = tokio::process::Command::from(git_command(root));
    let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
    command
        .args(["-c", "safe.directory=*", "-c"])
        .arg(format!("uploadpack.allowFilter={}", options.filter))
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let mut stdin = child
        .stdin
        .take()
        .ok_or_else(|| io::Error::other("no pipe"))?;
    let feed = tokio::spawn(async move { stdin.write_all(&body).await });
    let output = child.wait_with_output().await?;
    // The backend may answer before it has read all input.
    let _ = feed.await;
    let split = output
        .stdout
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or_else(|| io::Error::other("no CGI header"))?;
    let mut status = "200 OK".to_owned();
    let mut head = String::new();
    for line in String::from_utf8_lossy(&output.stdout[..split]).lines() {
        match line.strip_prefix("Status: ") {
            Some(code) => status = code.to_owned(),
            None => head.push_str(&format!("{line}\r\n")),
        }
    }
    Ok((status, head, output.stdout[split + 4..].to_vec()))
}
