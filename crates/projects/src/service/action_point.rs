//! Creates and changes action points.

use nyxcore_retrieval::Citation;
use nyxcore_tenancy::{Action, Error, ReadWrite, Repository, Result, Scoped, TypedId, text};
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use crate::entity::action_point::{self, Citations};
use crate::model::{ActionPoint, ActionPointId, ActionPointStatus, NoteId};
use crate::registration::NOTE;
use crate::repository::{ActionPoints, Notes};

/// A new action point.
#[derive(Debug, Clone, PartialEq)]
pub struct NewActionPoint {
    /// The task, up to 2,000 characters.
    pub text: String,
    /// The citations of its origin.
    pub citations: Vec<Citation>,
}

/// The changes to an action point; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "as in ActionPoint")]
pub struct ActionPointChanges {
    pub status: Option<ActionPointStatus>,
    pub text: Option<String>,
}

/// Adds open action points to a note, all in one statement, and returns them in the order given. `enrichment` is the
/// run of the enrichment that suggested them.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound) for the note or the enrichment;
/// [`Invalid`](nyxcore_tenancy::Error::Invalid) for a text out of bounds.
pub async fn action_point_create_all(
    scoped: &Scoped<ReadWrite>,
    note: NoteId,
    enrichment: Option<Uuid>,
    points: Vec<NewActionPoint>,
) -> Result<Vec<ActionPoint>> {
    scoped.permit(Action::Update, NOTE, note.uuid())?;
    Notes::require(scoped, note).await?;
    let now = scoped.env().now();
    let points = points
        .into_iter()
        .map(|new| {
            Ok(ActionPoint {
                id: ActionPointId(scoped.env().id()),
                note_id: note,
                enrichment_id: enrichment,
                text: text_check(&new.text)?,
                status: ActionPointStatus::Open,
                citations: new.citations,
                accepted_at: None,
                created_at: now,
                updated_at: now,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let rows = points.iter().map(|point| action_point::ActiveModel {
        id: Set(point.id),
        note_id: Set(point.note_id),
        enrichment_id: Set(point.enrichment_id),
        text: Set(point.text.clone()),
        status: Set(point.status),
        citations: Set(Citations(point.citations.clone())),
        accepted_at: Set(point.accepted_at),
        created_at: Set(point.created_at),
        updated_at: Set(point.updated_at),
        ..Default::default()
    });
    scoped.insert_all(rows.collect()).await?;
    Ok(points)
}

/// Changes an action point.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound); [`Invalid`](nyxcore_tenancy::Error::Invalid) for a text out of
/// bounds.
pub async fn action_point_update(
    scoped: &Scoped<ReadWrite>,
    id: ActionPointId,
    changes: ActionPointChanges,
) -> Result<ActionPoint> {
    scoped.permit(Action::Update, NOTE, None)?;
    let mut row = action_point::ActiveModel {
        updated_at: Set(scoped.env().now()),
        ..Default::default()
    };
    if let Some(status) = changes.status {
        row.status = Set(status);
    }
    if let Some(text) = changes.text {
        row.text = Set(text_check(&text)?);
    }
    ActionPoints::update(scoped, id, row).await
}

/// Accepts an action point that an enrichment suggested: from then on it is a task of the team, and stays when the
/// enrichment is dismissed. One that was dismissed becomes open again. Accepting it twice changes nothing.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound).
pub async fn action_point_accept(
    scoped: &Scoped<ReadWrite>,
    id: ActionPointId,
) -> Result<ActionPoint> {
    scoped.permit(Action::Update, NOTE, None)?;
    let now = scoped.env().now();
    let touched = action_point::ActiveModel {
        updated_at: Set(now),
        ..Default::default()
    };
    // The update locks the row.
    let point = ActionPoints::update(scoped, id, touched.clone()).await?;
    let is_dismissed = point.status == ActionPointStatus::Dismissed;
    if point.accepted_at.is_some() && !is_dismissed {
        return Ok(point);
    }
    let mut row = touched;
    row.accepted_at = Set(Some(now));
    if is_dismissed {
        row.status = Set(ActionPointStatus::Open);
    }
    ActionPoints::update(scoped, id, row).await
}

fn text_check(text: &str) -> Result<String> {
    let text = text::ACTION_POINT.check("the action point", text.trim())?;
    if text.is_empty() {
        return Err(Error::Invalid(
            "the text of an action point must not be empty".into(),
        ));
    }
    Ok(text)
}
