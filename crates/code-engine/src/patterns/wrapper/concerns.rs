//! The concerns for which a project may have one wrapper, and direct use of each concern in every language.

use super::super::super::language::Language;

/// A use of a library: the imported module (empty for a builtin), and the path of the call. A path that ends with `.`
/// matches all names below it.
pub(super) type Call = (&'static str, &'static str);

/// Something that a project may access by one wrapper.
pub(super) struct Concern {
    pub slug: &'static str,
    /// Its name in a sentence: "HTTP calls".
    pub things: &'static str,
    /// The beginning of the rule: "Make HTTP calls".
    pub rule: &'static str,
    /// Words in the names of wrapper modules.
    pub hints: &'static [&'static str],
    pub calls: &'static [(&'static [Language], &'static [Call])],
}

const SCRIPTS: &[Language] = &[Language::TypeScript, Language::JavaScript];
const PYTHON: &[Language] = &[Language::Python];
const GO: &[Language] = &[Language::Go];
const RUST: &[Language] = &[Language::Rust];
const JAVA: &[Language] = &[Language::Java];

pub(super) const CONCERNS: &[Concern] = &[
    Concern {
        slug: "http",
        things: "HTTP calls",
        rule: "Make HTTP calls",
        hints: &[
            "api",
            "client",
            "fetch",
            "fetcher",
            "http",
            "request",
            "requests",
            "rest",
            "axios",
            "transport",
        ],
        calls: &[
            (
                SCRIPTS,
                &[
                    ("", "fetch"),
                    ("", "window.fetch"),
                    ("", "globalThis.fetch"),
                    ("", "XMLHttpRequest"),
                    ("axios", "axios"),
                    ("axios", "axios."),
                    ("got", "got"),
                    ("got", "got."),
                    ("ky", "ky"),
                    ("ky", "ky."),
                    ("undici", "request"),
                    ("superagent", "superagent."),
                    ("node-fetch", "nodeFetch"),
                ],
            ),
            (
                PYTHON,
                &[
                    ("requests", "requests."),
                    ("httpx", "httpx."),
                    ("aiohttp", "aiohttp.ClientSession"),
                    ("urllib.request", "urllib.request."),
                    ("urllib.request", "urlopen"),
                    ("urllib3", "urllib3."),
                ],
            ),
            (
                GO,
                &[
                    ("net/http", "http.Get"),
                    ("net/http", "http.Post"),
                    ("net/http", "http.NewRequest"),
                    ("net/http", "http.NewRequestWithContext"),
                    ("net/http", "http.DefaultClient.Do"),
                ],
            ),
            (
                RUST,
                &[
                    ("", "reqwest."),
                    ("", "ureq."),
                    ("reqwest", "Client.new"),
                    ("reqwest", "Client.builder"),
                ],
            ),
            (
                JAVA,
                &[
                    ("java.net.http", "HttpClient."),
                    ("okhttp3", "OkHttpClient"),
                    ("org.springframework.web.client", "RestTemplate"),
                ],
            ),
        ],
    },
    Concern {
        slug: "database",
        things: "Queries",
        rule: "Ask the database",
        hints: &[
            "database",
            "db",
            "dao",
            "orm",
            "pool",
            "prisma",
            "repository",
            "session",
            "sql",
            "storage",
            "store",
        ],
        calls: &[
            (
                SCRIPTS,
                &[
                    ("pg", "Pool"),
                    ("pg", "Client"),
                    ("mysql2", "mysql."),
                    ("knex", "knex"),
                    ("mongodb", "MongoClient"),
                    ("mongoose", "mongoose."),
                    ("@prisma/client", "PrismaClient"),
                    ("better-sqlite3", "Database"),
                ],
            ),
            (
                PYTHON,
                &[
                    ("sqlite3", "sqlite3."),
                    ("psycopg2", "psycopg2."),
                    ("psycopg", "psycopg."),
                    ("asyncpg", "asyncpg."),
                    ("pymongo", "MongoClient"),
                    ("sqlalchemy", "create_engine"),
                    ("sqlalchemy", "sessionmaker"),
                ],
            ),
            (
                GO,
                &[
                    ("database/sql", "sql.Open"),
                    ("gorm.io/gorm", "gorm.Open"),
                    ("github.com/jackc/pgx", "pgx."),
                ],
            ),
            (
                RUST,
                &[
                    ("rusqlite", "Connection.open"),
                    ("", "rusqlite.Connection.open"),
                    ("", "sqlx.query"),
                    ("sea_orm", "Database.connect"),
                ],
            ),
            (JAVA, &[("java.sql", "DriverManager.")]),
        ],
    },
    Concern {
        slug: "environment",
        things: "Environment variables",
        rule: "Read environment variables",
        hints: &[
            "config",
            "configuration",
            "conf",
            "env",
            "environment",
            "options",
            "settings",
        ],
        calls: &[
            (SCRIPTS, &[("", "process.env."), ("", "import.meta.env.")]),
            (
                PYTHON,
                &[
                    ("os", "os.getenv"),
                    ("os", "os.environ"),
                    ("os", "os.environ."),
                    ("decouple", "config"),
                ],
            ),
            (GO, &[("os", "os.Getenv"), ("os", "os.LookupEnv")]),
            (
                RUST,
                &[
                    ("", "std.env.var"),
                    ("", "std.env.var_os"),
                    ("std", "env.var"),
                    ("std", "env.var_os"),
                ],
            ),
            (JAVA, &[("", "System.getenv")]),
        ],
    },
    Concern {
        slug: "time",
        things: "The time",
        rule: "Read the clock",
        hints: &[
            "clock",
            "date",
            "dates",
            "datetime",
            "now",
            "time",
            "timestamp",
        ],
        calls: &[
            (SCRIPTS, &[("", "Date.now"), ("", "performance.now")]),
            (
                PYTHON,
                &[
                    ("datetime", "datetime.now"),
                    ("datetime", "datetime.utcnow"),
                    ("datetime", "datetime.datetime.now"),
                    ("datetime", "datetime.datetime.utcnow"),
                    ("time", "time.time"),
                    ("time", "time.monotonic"),
                ],
            ),
            (GO, &[("time", "time.Now")]),
            (
                RUST,
                &[
                    ("std", "SystemTime.now"),
                    ("", "std.time.SystemTime.now"),
                    ("chrono", "Utc.now"),
                    ("chrono", "Local.now"),
                ],
            ),
            (
                JAVA,
                &[
                    ("", "System.currentTimeMillis"),
                    ("java.time", "Instant.now"),
                    ("java.time", "LocalDateTime.now"),
                ],
            ),
        ],
    },
    Concern {
        slug: "process",
        things: "Processes",
        rule: "Start processes",
        hints: &[
            "cmd",
            "command",
            "commands",
            "exec",
            "executor",
            "git",
            "process",
            "run",
            "runner",
            "shell",
            "spawn",
            "subprocess",
        ],
        calls: &[
            (
                SCRIPTS,
                &[
                    ("child_process", "spawn"),
                    ("child_process", "exec"),
                    ("child_process", "execSync"),
                    ("child_process", "spawnSync"),
                    ("node:child_process", "spawn"),
                    ("node:child_process", "exec"),
                    ("node:child_process", "execSync"),
                    ("node:child_process", "spawnSync"),
                    ("execa", "execa"),
                ],
            ),
            (
                PYTHON,
                &[
                    ("subprocess", "subprocess."),
                    ("os", "os.system"),
                    ("asyncio", "asyncio.create_subprocess_exec"),
                ],
            ),
            (
                GO,
                &[
                    ("os/exec", "exec.Command"),
                    ("os/exec", "exec.CommandContext"),
                ],
            ),
            (
                RUST,
                &[
                    ("std", "Command.new"),
                    ("", "std.process.Command.new"),
                    ("", "process.Command.new"),
                    ("tokio", "Command.new"),
                ],
            ),
            (JAVA, &[("", "ProcessBuilder"), ("", "Runtime.getRuntime")]),
        ],
    },
    Concern {
        slug: "files",
        things: "Files",
        rule: "Read and write files",
        hints: &["disk", "file", "files", "filesystem", "fs", "io", "storage"],
        calls: &[
            (
                SCRIPTS,
                &[
                    ("fs", "fs."),
                    ("node:fs", "fs."),
                    ("fs-extra", "fs."),
                    ("fs/promises", "fs."),
                    ("node:fs/promises", "fs."),
                ],
            ),
            (
                PYTHON,
                &[
                    ("shutil", "shutil."),
                    ("", "open"),
                    ("os", "os.makedirs"),
                    ("os", "os.remove"),
                ],
            ),
            (
                GO,
                &[
                    ("os", "os.Open"),
                    ("os", "os.OpenFile"),
                    ("os", "os.Create"),
                    ("os", "os.ReadFile"),
                    ("os", "os.WriteFile"),
                ],
            ),
            (
                RUST,
                &[
                    ("", "std.fs."),
                    ("std", "fs."),
                    ("std", "File.open"),
                    ("std", "File.create"),
                ],
            ),
            (
                JAVA,
                &[
                    ("java.nio.file", "Files."),
                    ("java.io", "FileInputStream"),
                    ("java.io", "FileOutputStream"),
                ],
            ),
        ],
    },
];
