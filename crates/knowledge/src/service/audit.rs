//! The audit of knowledge: it finds duplicates, contradictions, secrets, and entries that are stale or never recalled.
//!
//! It reads and changes nothing. Knowledge that was recalled is never extracted as new knowledge; the audit shows a
//! team what got in nevertheless.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::TimeDelta;
use nyxcore_projects::{ProjectId, files_by_path, sources_of};
use nyxcore_retrieval::{KnowledgeKind, named_paths};
use nyxcore_tenancy::{Access, Action, PAGE_MAX, PageRequest, Repository, Result, Scoped};
use sea_orm::{ColumnTrait, Condition};

use super::insight::SIMILARITY_MIN;
use crate::entity::{insight, memory_entry};
use crate::registration::MEMORY_ENTRY;
use crate::repository::{Insights, MemoryEntries};
use crate::words::Words;

/// The most entries of each kind that are audited, the newest first. A rule of this project.
const ENTRIES_MAX: usize = 5_000;
/// The most findings that are returned. A rule of this project: nobody reads more.
pub const AUDIT_FINDINGS_MAX: usize = 500;
/// An entry that is younger than this may still be recalled.
const UNRECALLED_DAYS: i64 = 90;
/// The most entries that have a word which is used to find similar entries: a more common word says nothing.
const COMMON_ENTRIES: usize = 60;
/// The minimum number of rare words that two entries share before they are compared.
const SHARED_WORDS_MIN: usize = 2;
/// The minimum similarity of two entries on the same matter.
const SAME_MATTER: f64 = 0.45;

/// The problem of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditFindingKind {
    /// A text looks like a key or a password.
    Secret,
    /// Two entries of one matter say different things.
    Contradiction,
    /// Two entries say nearly the same.
    Duplicate,
    /// The files that the entry names are gone.
    Stale,
    /// Nothing ever cited it.
    NeverRecalled,
}

impl AuditFindingKind {
    /// Its name on the command line and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "SECRET",
            Self::Contradiction => "CONTRADICTION",
            Self::Duplicate => "DUPLICATE",
            Self::Stale => "STALE",
            Self::NeverRecalled => "NEVER_RECALLED",
        }
    }
}

/// A memory entry or an insight that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditSubject {
    /// Its kind: a memory entry or an insight.
    pub kind: KnowledgeKind,
    /// Its id, in its text form.
    pub id: String,
    /// Its title.
    pub title: String,
}

/// A problem for a person to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFinding {
    /// The problem.
    pub kind: AuditFindingKind,
    /// The entry it is about, or the two entries of a pair.
    pub subjects: Vec<AuditSubject>,
    /// Why, in a sentence for a person. It never quotes a secret.
    pub reason: String,
}

/// The result of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnowledgeAudit {
    /// How many memory entries and insights were checked.
    pub checked: usize,
    /// The findings by kind, at most [`AUDIT_FINDINGS_MAX`].
    pub findings: Vec<AuditFinding>,
    /// How many more findings there are.
    pub omitted: usize,
}

/// An entry or insight, prepared for the comparison.
struct Item {
    subject: AuditSubject,
    project: Option<ProjectId>,
    text: String,
    words: Words,
    is_old: bool,
    recalls: i64,
}

/// Audits the current memory entries and insights of a project, or of the whole tenant.
///
/// # Errors
/// The database fails.
pub async fn knowledge_audit<A: Access>(
    scoped: &Scoped<A>,
    project: Option<ProjectId>,
) -> Result<KnowledgeAudit> {
    scoped.permit(Action::Read, MEMORY_ENTRY, None)?;
    let items = items(scoped, project).await?;
    let mut findings = Vec::new();
    // If no entry was ever recalled, recalls are not counted here, and zero says nothing about an entry.
    let is_counted = items.iter().any(|item| item.recalls > 0);
    for item in &items {
        if let Some((what, line)) = secret_in(&item.text) {
            let reason =
                format!("line {line} looks like {what}: remove it here and revoke it there");
            findings.push(finding(AuditFindingKind::Secret, &[item], reason));
        }
        if is_counted && item.is_old && item.recalls == 0 {
            let reason = format!("nothing cited it in {UNRECALLED_DAYS} days or more");
            findings.push(finding(AuditFindingKind::NeverRecalled, &[item], reason));
        }
    }
    pairs_compare(&items, &mut findings);
    stale_find(scoped, &items, &mut findings).await?;
    findings.sort_by(|a, b| {
        a.kind
            .cmp(&b.kind)
            .then_with(|| a.subjects.cmp(&b.subjects))
    });
    let omitted = findings.len().saturating_sub(AUDIT_FINDINGS_MAX);
    findings.truncate(AUDIT_FINDINGS_MAX);
    Ok(KnowledgeAudit {
        checked: items.len(),
        findings,
        omitted,
    })
}

async fn items<A: Access>(scoped: &Scoped<A>, project: Option<ProjectId>) -> Result<Vec<Item>> {
    let old = scoped.env().now() - TimeDelta::days(UNRECALLED_DAYS);
    let mut items = Vec::new();
    let of_project = |own: sea_orm::sea_query::SimpleExpr,
                      shared: sea_orm::sea_query::SimpleExpr| {
        Condition::any().add(own).add(shared)
    };
    {
        use memory_entry::Column;
        let which = Condition::all()
            .add(Column::ArchivedAt.is_null())
            .add(Column::SupersededById.is_null())
            .add_option(
                project.map(|id| of_project(Column::ProjectId.eq(id), Column::ProjectId.is_null())),
            );
        let mut page = PageRequest::first(PAGE_MAX);
        while items.len() < ENTRIES_MAX {
            let found = MemoryEntries::list(scoped, which.clone(), &page).await?;
            page.after = found.items.last().map(|(cursor, _)| cursor.clone());
            let has_next = found.has_next;
            items.extend(found.items.into_iter().map(|(_, entry)| Item {
                words: Words::of(&entry.title, &entry.content),
                is_old: entry.created_at < old,
                recalls: entry.recalls,
                project: entry.project_id,
                subject: AuditSubject {
                    kind: KnowledgeKind::MemoryEntry,
                    id: entry.id.to_string(),
                    title: entry.title,
                },
                text: entry.content,
            }));
            if !has_next {
                break;
            }
        }
    }
    use insight::Column;
    let which = Condition::all()
        .add(Column::ArchivedAt.is_null())
        .add_option(
            project.map(|id| of_project(Column::ProjectId.eq(id), Column::ProjectId.is_null())),
        );
    let mut page = PageRequest::first(PAGE_MAX);
    let end = items.len() + ENTRIES_MAX;
    while items.len() < end {
        let found = Insights::list(scoped, which.clone(), &page).await?;
        page.after = found.items.last().map(|(cursor, _)| cursor.clone());
        let has_next = found.has_next;
        items.extend(found.items.into_iter().map(|(_, one)| Item {
            words: Words::of(&one.title, &one.detail),
            is_old: one.created_at < old,
            recalls: one.recalls,
            project: one.project_id,
            subject: AuditSubject {
                kind: KnowledgeKind::Insight,
                id: one.id.to_string(),
                title: one.title,
            },
            text: one.detail,
        }));
        if !has_next {
            break;
        }
    }
    Ok(items)
}

fn finding(kind: AuditFindingKind, items: &[&Item], reason: String) -> AuditFinding {
    AuditFinding {
        kind,
        subjects: items.iter().map(|item| item.subject.clone()).collect(),
        reason,
    }
}

/// Compares entries of the same kind and project that share rare words.
fn pairs_compare(items: &[Item], findings: &mut Vec<AuditFinding>) {
    let mut by_word: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, item) in items.iter().enumerate() {
        for word in item.words.iter() {
            by_word.entry(word).or_default().push(at);
        }
    }
    let mut shared: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for having in by_word
        .values()
        .filter(|having| having.len() <= COMMON_ENTRIES)
    {
        for (n, &one) in having.iter().enumerate() {
            for &other in &having[n + 1..] {
                *shared.entry((one, other)).or_default() += 1;
            }
        }
    }
    for ((one, other), count) in shared {
        let (one, other) = (&items[one], &items[other]);
        if count < SHARED_WORDS_MIN
            || one.project != other.project
            || one.subject.kind != other.subject.kind
        {
            continue;
        }
        let similarity = one.words.similarity(&other.words);
        if let Some(reason) = contradiction(one, other, similarity) {
            findings.push(finding(
                AuditFindingKind::Contradiction,
                &[one, other],
                reason,
            ));
        } else if similarity >= SIMILARITY_MIN {
            let reason =
                "they have most of their words in common: keep one, and let it supersede the other";
            findings.push(finding(
                AuditFindingKind::Duplicate,
                &[one, other],
                reason.to_owned(),
            ));
        }
    }
}

/// Why two texts on the same matter contradict: they differ in a number, or only one of them is negated.
fn contradiction(one: &Item, other: &Item, similarity: f64) -> Option<String> {
    if similarity < SAME_MATTER {
        return None;
    }
    let numbers = |words: &Words, without: &Words| -> Option<Vec<String>> {
        let rest: Vec<&str> = words.without(without).collect();
        let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
        (!rest.is_empty() && rest.iter().all(is_number))
            .then(|| rest.into_iter().map(str::to_owned).collect())
    };
    let both = numbers(&one.words, &other.words).zip(numbers(&other.words, &one.words));
    if let Some((first, second)) = both {
        let (first, second) = (first.join(", "), second.join(", "));
        return Some(format!(
            "they differ only in a number: {first} and {second}"
        ));
    }
    let negated = |item: &Item| is_negated(&item.text) || is_negated(&item.subject.title);
    (negated(one) != negated(other))
        .then(|| "they speak of the same, and only one of them says not to".to_owned())
}

fn is_negated(text: &str) -> bool {
    let text = text.to_lowercase().replace('\u{2019}', "'");
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '\'');
    let denies = [
        "not",
        "never",
        "don't",
        "cannot",
        "avoid",
        "mustn't",
        "shouldn't",
        "forbidden",
        "deprecated",
    ];
    words.into_iter().any(|word| denies.contains(&word))
}

/// Finds the entries that name only files which the project does not have.
async fn stale_find<A: Access>(
    scoped: &Scoped<A>,
    items: &[Item],
    findings: &mut Vec<AuditFinding>,
) -> Result<()> {
    let mut speaking: BTreeMap<ProjectId, Vec<(&Item, Vec<String>)>> = BTreeMap::new();
    for item in items {
        let mut paths = named_paths(&item.text);
        // A name without a folder may be of anything.
        paths.retain(|path| path.contains('/'));
        if let Some(project) = item.project.filter(|_| !paths.is_empty()) {
            speaking.entry(project).or_default().push((item, paths));
        }
    }
    for (project, speaking) in speaking {
        let sources = sources_of(scoped, &[project]).await?.remove(&project);
        let mut known: BTreeSet<String> = BTreeSet::new();
        for source in sources.unwrap_or_default() {
            // Before the first sync it is unknown which files are gone.
            if source.head_commit.is_none() {
                continue;
            }
            let files = files_by_path::<_, String>(scoped, source.id, None).await?;
            known.extend(files.into_keys().map(|path| path.to_lowercase()));
        }
        if known.is_empty() {
            continue;
        }
        for (item, paths) in speaking {
            let is_there = |path: &String| {
                known.contains(path)
                    || known
                        .iter()
                        .any(|known| known.ends_with(&format!("/{path}")))
            };
            if !paths.iter().any(is_there) {
                let reason = format!("the files that it speaks of are gone: {}", paths.join(", "));
                findings.push(finding(AuditFindingKind::Stale, &[item], reason));
            }
        }
    }
    Ok(())
}

/// The prefixes of secrets, as their issuers write them, with the minimum length and what they are.
const SECRETS: &[(&str, usize, &str)] = &[
    ("AKIA", 16, "a key of AWS"),
    ("ASIA", 16, "a key of AWS"),
    ("ghp_", 30, "a token of GitHub"),
    ("gho_", 30, "a token of GitHub"),
    ("ghs_", 30, "a token of GitHub"),
    ("github_pat_", 30, "a token of GitHub"),
    ("glpat-", 18, "a token of GitLab"),
    ("sk-ant-", 20, "a key of Anthropic"),
    ("sk-proj-", 20, "a key of OpenAI"),
    ("sk_live_", 16, "a key of Stripe"),
    ("AIza", 30, "a key of Google"),
    ("xoxb-", 20, "a token of Slack"),
    ("xoxp-", 20, "a token of Slack"),
    ("npm_", 30, "a token of npm"),
    ("pypi-", 40, "a token of PyPI"),
    ("nyx_", 30, "a token of nyxcore"),
];

/// The first text that looks like a secret: what it looks like, and its line from 1.
fn secret_in(text: &str) -> Option<(&'static str, usize)> {
    for (n, line) in (1..).zip(text.lines()) {
        if line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----") {
            return Some(("a private key", n));
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        for word in line.split(|c: char| !is_part(c)) {
            let is_secret = |(begin, length, _): &&(&str, usize, &str)| {
                word.strip_prefix(begin)
                    .is_some_and(|rest| rest.len() >= *length)
            };
            if let Some((_, _, what)) = SECRETS.iter().find(is_secret) {
                return Some((what, n));
            }
        }
        if let Some(value) = password_of(line) {
            let is_placeholder =
                value.starts_with(['<', '$', '{', '*', '.']) || value.contains("...");
            if value.len() >= 8 && !is_placeholder && value.chars().any(|c| c.is_ascii_digit()) {
                return Some(("a password", n));
            }
        }
    }
    None
}

/// The password in a line: `password: …`, `PASSWORD=…`, or within a URL.
fn password_of(line: &str) -> Option<&str> {
    let lower = line.to_ascii_lowercase();
    for key in ["password", "passwd", "secret_key", "api_key", "apikey"] {
        let Some(at) = lower.find(key) else {
            continue;
        };
        let rest = line[at + key.len()..].trim_start_matches(['"', '\'', '`', ' ']);
        if let Some(value) = rest.strip_prefix([':', '=']) {
            let value = value.trim_start_matches(['"', '\'', '`', ' ', '=']);
            return value
                .split(|c: char| c.is_whitespace() || "\"'`,;".contains(c))
                .next();
        }
    }
    let (_, rest) = line.split_once("://")?;
    let (credentials, _) = rest.split_once('@')?;
    let (_, password) = credentials.split_once(':')?;
    (!password.contains(char::is_whitespace) && !password.contains('/')).then_some(password)
}

#[cfg(test)]
mod tests;
