//! The languages of a project by ecosystem, and the ecosystem of a command.

use std::collections::BTreeMap;

use super::Candidate;
use crate::project::LanguageShare;
use crate::project::manifest::Ecosystem;

/// The lines of code of the project, by ecosystem.
pub(super) struct ProjectLanguages {
    lines: BTreeMap<Ecosystem, u64>,
    all: u64,
}

/// The least share of an ecosystem in the code, in percent, for it to represent the project.
const SPEAKS_PERCENT: u64 = 20;
/// The least share for the ecosystem to count as present.
const THERE_PERCENT: u64 = 2;

impl ProjectLanguages {
    pub(super) fn new(shares: &[LanguageShare]) -> ProjectLanguages {
        let mut lines: BTreeMap<Ecosystem, u64> = BTreeMap::new();
        for share in shares {
            if let Some(ecosystem) = Ecosystem::of(share.language) {
                *lines.entry(ecosystem).or_default() += u64::from(share.lines_of_code);
            }
        }
        ProjectLanguages {
            all: lines.values().sum(),
            lines,
        }
    }

    fn is_below(&self, one: &Candidate, percent: u64) -> bool {
        ecosystem_of(one.tool).is_some_and(|ecosystem| {
            let lines = self.lines.get(&ecosystem).copied().unwrap_or(0);
            self.all > 0 && lines * 100 < self.all * percent
        })
    }

    /// Whether the command is of an ecosystem that does not represent the project.
    pub(super) fn is_foreign(&self, one: &Candidate) -> bool {
        self.is_below(one, SPEAKS_PERCENT)
    }

    /// Whether hardly anything is written in the command's ecosystem.
    pub(super) fn is_absent(&self, one: &Candidate) -> bool {
        self.is_below(one, THERE_PERCENT)
    }
}

/// The ecosystem of a tool; `None` for generic task runners.
pub(super) fn ecosystem_of(tool: &str) -> Option<Ecosystem> {
    Some(match tool {
        "cargo" | "cargo-fmt" => Ecosystem::Cargo,
        "node" | "node-lint" | "node-test" | "prettier" => Ecosystem::Npm,
        "python" | "python-lint" | "pytest" | "tox" | "nox" | "ruff" | "ruff-format" | "black"
        | "hatch" | "pdm" | "poe" => Ecosystem::PyPi,
        "go" | "golangci-lint" => Ecosystem::Go,
        "maven" | "gradle" | "sbt" => Ecosystem::Maven,
        "dotnet" => Ecosystem::NuGet,
        "bundler" | "rspec" | "rubocop" | "rake" => Ecosystem::Gem,
        "composer" | "phpunit" | "phpstan" => Ecosystem::Composer,
        "swift" => Ecosystem::Swift,
        "cmake" | "autotools" => Ecosystem::Native,
        _ => return None,
    })
}
