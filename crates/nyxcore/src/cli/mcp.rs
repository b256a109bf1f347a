//! The arguments of the command that serves coding agents.

use std::path::PathBuf;

use clap::Args;

pub(super) const EXAMPLES: &str = "\
Examples:
  nyxcore quickstart . --exit                           once, in the folder of a repository: sync and analyse it
  claude mcp add nyxcore -- nyxcore mcp                 Claude Code, on the database in that folder
  nyxcore mcp --tenant acme --project atlas --read-only
  NYXCORE_TOKEN=nyx_... nyxcore mcp --server https://nyx.example.org

In an mcp.json of Cursor or VS Code:
  { \"command\": \"nyxcore\", \"args\": [\"mcp\"] }

A client that speaks HTTP needs no nyxcore on its machine: it connects to https://nyx.example.org/mcp with the header
Authorization: Bearer nyx_... A token of the role VIEWER sees no tool that writes.";

/// The arguments of `mcp`.
#[derive(Args)]
pub struct McpArgs {
    /// The tenant's short name; needed only if the database has several
    #[arg(long, value_name = "SLUG", conflicts_with = "server")]
    pub tenant: Option<String>,
    /// The project of calls that name none, by its short name, id or name; by default the one whose source is the
    /// repository around the folder
    #[arg(long, value_name = "PROJECT", conflicts_with = "server")]
    pub project: Option<String>,
    /// Refuse every change, and do not list the tools that write
    #[arg(long, conflicts_with = "server")]
    pub read_only: bool,
    /// The working folder that the tool `check` compares with a commit; without a repository there, it is not offered
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub folder: PathBuf,
    /// Pass all messages on to this server instead of opening a database: its URL, without /mcp. `https`, or `http` on
    /// this machine. The API token is read from NYXCORE_TOKEN or a file, because other accounts can see a command line
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// A file with the API token [env: NYXCORE_TOKEN]
    #[arg(long, value_name = "FILE", requires = "server")]
    pub token_file: Option<PathBuf>,
}
