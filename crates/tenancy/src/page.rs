//! Keyset pagination. A cursor is the value of a unique column, so that every page costs the same, and inserted or
//! deleted rows neither repeat nor hide others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// The maximum number of rows of a page.
pub const PAGE_MAX: u64 = 200;

/// A boundary of a page: the value of the list's key column in some row.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Cursor {
    /// A list in the order of ids, which is the order of creation.
    Id(Uuid),
    /// A list with positions.
    Position(i64),
    /// A list in the order of a text, such as a path.
    Text(String),
}

impl Cursor {
    /// The opaque text for clients. It contains the name of the list that it belongs to.
    pub fn encode(&self, list: &str) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(list, self)).unwrap_or_default())
    }

    /// Parses the opaque text of a list; `None` if it is malformed, or belongs to another list.
    pub fn decode(list: &str, text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (of, cursor): (String, Self) = serde_json::from_slice(&bytes).ok()?;
        // PostgreSQL does not accept U+0000.
        let forged = matches!(&cursor, Self::Text(text) if text.contains('\0'));
        (of == list && !forged).then_some(cursor)
    }

    /// Whether the cursor can be compared with a column of that type.
    pub(crate) fn fits(&self, column: &sea_orm::ColumnType) -> bool {
        use sea_orm::ColumnType::{BigInteger, Uuid};
        match self {
            Self::Id(_) => matches!(column, Uuid),
            Self::Position(_) => matches!(column, BigInteger),
            Self::Text(_) => !matches!(column, Uuid | BigInteger),
        }
    }

    pub(crate) fn value(&self) -> sea_orm::Value {
        match self {
            Self::Id(id) => (*id).into(),
            Self::Position(n) => (*n).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }
}

/// The requested part of a list: the validated Relay arguments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// The maximum number of rows.
    pub limit: u64,
    /// Only rows after this one.
    pub after: Option<Cursor>,
    /// Only rows before this one.
    pub before: Option<Cursor>,
    /// Count the rows from the end of the range and not from its beginning (Relay's `last`).
    pub from_end: bool,
    /// Do not read the large texts: those fields of the rows are empty.
    pub omits_texts: bool,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self::first(50)
    }
}

impl PageRequest {
    /// The first `limit` rows.
    pub fn first(limit: u64) -> Self {
        Self {
            limit: limit.min(PAGE_MAX),
            after: None,
            before: None,
            from_end: false,
            omits_texts: false,
        }
    }
}

/// A part of a list, in the list's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows with their cursors.
    pub items: Vec<(Cursor, T)>,
    /// Whether rows follow.
    pub has_next: bool,
    /// Whether rows come before.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// A page of those rows. `more` says whether the list continues beyond them in the direction in which they were
    /// read.
    pub(crate) fn new(items: Vec<(Cursor, T)>, more: bool, request: &PageRequest) -> Self {
        let (has_next, has_previous) = if request.from_end {
            (request.before.is_some(), more)
        } else {
            (more, request.after.is_some())
        };
        Self {
            items,
            has_next,
            has_previous,
        }
    }

    /// The page of a list without rows.
    pub fn empty(request: &PageRequest) -> Self {
        Self::new(Vec::new(), false, request)
    }

    /// Merges two pages that were read by the same request into one, largest key first.
    #[must_use]
    pub fn merge_descending(self, other: Self, request: &PageRequest) -> Self {
        let more = |page: &Self| {
            if request.from_end {
                page.has_previous
            } else {
                page.has_next
            }
        };
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let some_left = more(&self) || more(&other);
        let mut items = self.items;
        items.extend(other.items);
        items.sort_by(|(a, _), (b, _)| b.cmp(a));
        let surplus = items.len().saturating_sub(limit);
        if request.from_end {
            items.drain(..surplus);
        } else {
            items.truncate(limit);
        }
        Self::new(items, some_left || surplus > 0, request)
    }

    /// The same page with mapped items.
    pub fn map<U>(self, f: impl Fn(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(|(c, t)| (c, f(t))).collect(),
            has_next: self.has_next,
            has_previous: self.has_previous,
        }
    }

    /// The same page without the items that map to `None`.
    pub fn filter_map<U>(self, f: impl Fn(T) -> Option<U>) -> Page<U> {
        let items = self.items.into_iter();
        Page {
            items: items.filter_map(|(c, t)| Some((c, f(t)?))).collect(),
            has_next: self.has_next,
            has_previous: self.has_previous,
        }
    }

    /// The rows without their cursors.
    pub fn into_items(self) -> Vec<T> {
        self.items.into_iter().map(|(_, item)| item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_opaque_text() {
        for cursor in [
            Cursor::Id(Uuid::from_u128(1)),
            Cursor::Position(-3),
            Cursor::Text("src/a b.rs".into()),
        ] {
            let text = cursor.encode("notes");
            assert_eq!(Cursor::decode("files", &text), None);
            assert_eq!(Cursor::decode("notes", &text), Some(cursor));
        }
    }

    fn list(numbers: &[i64], request: &PageRequest) -> Page<i64> {
        let mut all: Vec<i64> = numbers.to_vec();
        all.sort_by_key(|number| std::cmp::Reverse(*number));
        let limit = usize::try_from(request.limit).unwrap();
        let more = all.len() > limit;
        if request.from_end {
            all.drain(..all.len().saturating_sub(limit));
        } else {
            all.truncate(limit);
        }
        let items = all
            .into_iter()
            .map(|number| (Cursor::Position(number), number));
        Page::new(items.collect(), more, request)
    }

    proptest::proptest! {
        #[test]
        fn two_pages_merge_into_the_page_of_both_lists(
            numbers in proptest::collection::btree_set(-50..50_i64, 0..40),
            limit in 0..12_u64,
            from_end: bool,
            split in 2..5_i64,
        ) {
            let request = PageRequest { from_end, ..PageRequest::first(limit) };
            let all: Vec<i64> = numbers.into_iter().collect();
            let (some, others): (Vec<i64>, Vec<i64>) = all.iter().partition(|number| *number % split == 0);
            let merged = list(&some, &request).merge_descending(list(&others, &request), &request);
            proptest::prop_assert_eq!(merged, list(&all, &request));
        }
    }

    #[test]
    fn a_text_that_is_no_cursor_is_refused() {
        assert_eq!(Cursor::decode("notes", "not a cursor"), None);
        assert_eq!(Cursor::decode("notes", "AAAA"), None);
        let nul = Cursor::Text("a\0b".into()).encode("notes");
        assert_eq!(Cursor::decode("notes", &nul), None);
    }
}
