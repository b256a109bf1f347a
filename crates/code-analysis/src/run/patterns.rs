//! Stores patterns under stable ids, records changes, and removes vanished patterns from the search.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_code_engine::analysis::Step;
use nyxcore_code_engine::patterns::Pattern;
use nyxcore_projects::ProjectId;
use nyxcore_retrieval::{KnowledgeKind, documents_publish, documents_withdraw};
use nyxcore_runs::RunId;
use nyxcore_tenancy::{ReadWrite, Result, Scoped};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition};

use super::changes::{self, Current, FormerPattern, PatternChangeRecord, change_of};
use super::rules::RULE_KIND;
use crate::document;
use crate::entity::code_pattern::{self, Column, Locations};
use crate::entity::code_pattern_change;
use crate::model::{CodeAnalysis, CodePattern, CodePatternId, PatternChange, PatternStrength};

/// A pattern of an earlier analysis, whether it has vanished or not.
struct KnownPattern {
    key: String,
    position: i64,
    first_seen_at: DateTime<Utc>,
    former: FormerPattern,
}

/// Stores the patterns. If `compared`, changes are recorded and returned; otherwise the current state becomes the
/// baseline of later analyses.
///
/// Patterns of a failed step stay unchanged.
pub(super) async fn patterns_keep(
    scoped: &Scoped<ReadWrite>,
    analysis: &CodeAnalysis,
    found: Vec<Pattern>,
    failed: &[Step],
    compared: bool,
) -> Result<Vec<PatternChangeRecord>> {
    let untouched = |kind: &str| {
        failed.contains(if kind == RULE_KIND {
            &Step::Rules
        } else {
            &Step::Patterns
        })
    };
    let (stays, known): (Vec<KnownPattern>, Vec<KnownPattern>) = known(scoped, analysis.project_id)
        .await?
        .into_iter()
        .partition(|known| untouched(&known.former.kind));
    let mut known: HashMap<String, KnownPattern> = known
        .into_iter()
        .map(|known| (known.key.clone(), known))
        .collect();
    // Positions are unique: patterns that stay keep theirs, and new ones follow.
    let from = stays
        .iter()
        .map(|known| known.position + 1)
        .max()
        .unwrap_or_default();

    let mut told: Vec<PatternChangeRecord> = Vec::new();
    let mut rows = Vec::new();
    let mut documents = Vec::new();
    let found = found.into_iter().filter(|found| !untouched(&found.kind));
    for (pattern, position) in found.zip(from..) {
        let known = known.remove(&pattern.key);
        let now = strength(&pattern);
        let current = Current {
            statement: &pattern.statement,
            strength: now,
        };
        let former = known.as_ref().map(|known| &known.former);
        let change = change_of(former, Some(current)).filter(|_| compared);
        let before = former.filter(|former| !former.vanished);
        let before = before.map(|former| former.told);
        let id = former.map_or_else(|| CodePatternId(scoped.env().id()), |former| former.id);
        if let Some(change) = change {
            told.push(PatternChangeRecord {
                pattern: id,
                title: pattern.title.clone(),
                kind: pattern.kind.clone(),
                change,
                before,
                after: Some(now),
            });
        }
        let last_told = match (change, before) {
            (None, Some(before)) if compared => before,
            _ => now,
        };
        let first_seen_at = known.map_or_else(|| scoped.env().now(), |known| known.first_seen_at);
        let pattern = named(id, analysis.project_id, first_seen_at, pattern);
        documents.push(document::code_pattern(&pattern));
        rows.push(row_of(pattern, position, last_told));
    }
    vanish(
        scoped,
        analysis.run_id,
        known.into_values(),
        compared,
        &mut told,
    )
    .await?;
    rows_put(scoped, rows).await?;
    documents_publish(scoped, documents).await?;
    changes::order(&mut told);
    changes_put(scoped, analysis.run_id, &told).await?;
    Ok(told)
}

/// Deletes the project's patterns that vanished longer than `kept` ago, with their recorded changes. An unknown time
/// of vanishing counts as now.
pub(super) async fn vanished_delete(
    scoped: &Scoped<ReadWrite>,
    project: ProjectId,
    kept: TimeDelta,
) -> Result<()> {
    let now = scoped.env().now();
    let vanished = Condition::all()
        .add(Column::ProjectId.eq(project))
        .add(Column::VanishedIn.is_not_null());
    let undated = vanished.clone().add(Column::VanishedAt.is_null());
    let dated = code_pattern::ActiveModel {
        vanished_at: Set(Some(now)),
        ..Default::default()
    };
    scoped.update(undated, dated).await?;
    let expired = vanished.add(Column::VanishedAt.lt(now - kept));
    scoped.delete::<code_pattern::Entity>(expired).await?;
    Ok(())
}

async fn known(scoped: &Scoped<ReadWrite>, project: ProjectId) -> Result<Vec<KnownPattern>> {
    let rows = scoped
        .find::<code_pattern::Entity>()
        .filter(Column::ProjectId.eq(project))
        .all()
        .await?;
    let known = rows.into_iter().map(|row| KnownPattern {
        key: row.key,
        position: row.position,
        first_seen_at: row.first_seen_at,
        former: FormerPattern {
            id: row.id,
            title: row.title,
            kind: row.kind,
            statement: row.statement,
            told: PatternStrength {
                support: row.told_support,
                cases: row.told_cases,
                confidence: row.told_confidence,
            },
            vanished: row.vanished_in.is_some(),
        },
    });
    Ok(known.collect())
}

/// Marks patterns as vanished: they keep their rows, so that citations stay valid, but they are no longer listed or
/// found.
async fn vanish(
    scoped: &Scoped<ReadWrite>,
    analysis: RunId,
    gone: impl Iterator<Item = KnownPattern>,
    compared: bool,
    told: &mut Vec<PatternChangeRecord>,
) -> Result<()> {
    let gone: Vec<FormerPattern> = gone
        .map(|known| known.former)
        .filter(|former| !former.vanished)
        .collect();
    let ids = gone.iter().map(|former| former.id);
    let vanished = code_pattern::ActiveModel {
        vanished_in: Set(Some(analysis)),
        vanished_at: Set(Some(scoped.env().now())),
        ..Default::default()
    };
    let which = Condition::all().add(Column::Id.is_in(ids));
    scoped.update(which, vanished).await?;
    let subjects: Vec<String> = gone.iter().map(|former| former.id.to_string()).collect();
    documents_withdraw(scoped, KnowledgeKind::CodePattern, &subjects).await?;
    if compared {
        told.extend(gone.into_iter().map(|former| PatternChangeRecord {
            pattern: former.id,
            change: PatternChange::Vanished,
            before: Some(former.told),
            after: None,
            title: former.title,
            kind: former.kind,
        }));
    }
    Ok(())
}

fn strength(pattern: &Pattern) -> PatternStrength {
    PatternStrength {
        support: i64::from(pattern.support),
        cases: i64::from(pattern.cases),
        confidence: pattern.confidence,
    }
}

fn named(
    id: CodePatternId,
    project_id: ProjectId,
    first_seen_at: DateTime<Utc>,
    pattern: Pattern,
) -> CodePattern {
    CodePattern {
        id,
        project_id,
        key: pattern.key,
        kind: pattern.kind,
        title: pattern.title,
        statement: pattern.statement,
        stack: pattern.stack,
        scope: pattern.scope,
        support: i64::from(pattern.support),
        cases: i64::from(pattern.cases),
        confidence: pattern.confidence,
        exemplars: pattern.exemplars,
        counter_examples: pattern.counter_examples,
        first_seen_at,
        vanished_in: None,
    }
}

fn row_of(pattern: CodePattern, position: i64, told: PatternStrength) -> code_pattern::ActiveModel {
    code_pattern::ActiveModel {
        id: Set(pattern.id),
        project_id: Set(pattern.project_id),
        key: Set(pattern.key),
        position: Set(position),
        kind: Set(pattern.kind),
        title: Set(pattern.title),
        statement: Set(pattern.statement),
        stack: Set(pattern.stack),
        scope: Set(pattern.scope),
        support: Set(pattern.support),
        cases: Set(pattern.cases),
        confidence: Set(pattern.confidence),
        exemplars: Set(Locations(pattern.exemplars)),
        counter_examples: Set(Locations(pattern.counter_examples)),
        told_support: Set(told.support),
        told_cases: Set(told.cases),
        told_confidence: Set(told.confidence),
        first_seen_at: Set(pattern.first_seen_at),
        vanished_in: Set(None),
        vanished_at: Set(None),
        ..Default::default()
    }
}

async fn rows_put(scoped: &Scoped<ReadWrite>, rows: Vec<code_pattern::ActiveModel>) -> Result<()> {
    let changed = [
        Column::Position,
        Column::Kind,
        Column::Title,
        Column::Statement,
        Column::Stack,
        Column::Scope,
        Column::Support,
        Column::Cases,
        Column::Confidence,
        Column::Exemplars,
        Column::CounterExamples,
        Column::ToldSupport,
        Column::ToldCases,
        Column::ToldConfidence,
        Column::VanishedIn,
        Column::VanishedAt,
    ];
    let key = [Column::ProjectId, Column::Key];
    scoped.upsert_all(rows, &key, &changed).await
}

async fn changes_put(
    scoped: &Scoped<ReadWrite>,
    analysis: RunId,
    told: &[PatternChangeRecord],
) -> Result<()> {
    let rows = told.iter().zip(0..).map(|(one, position)| {
        let (before, after) = (one.before, one.after);
        code_pattern_change::ActiveModel {
            run_id: Set(analysis),
            pattern_id: Set(one.pattern),
            position: Set(position),
            change: Set(one.change),
            title: Set(one.title.clone()),
            kind: Set(one.kind.clone()),
            former_support: Set(before.map(|before| before.support)),
            former_cases: Set(before.map(|before| before.cases)),
            former_confidence: Set(before.map(|before| before.confidence)),
            support: Set(after.map(|after| after.support)),
            cases: Set(after.map(|after| after.cases)),
            confidence: Set(after.map(|after| after.confidence)),
            ..Default::default()
        }
    });
    scoped.insert_all(rows.collect()).await
}
