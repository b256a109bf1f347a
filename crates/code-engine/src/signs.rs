//! The signs of a file, without spare memory: the facts of all files are in memory at once.

use std::collections::BTreeMap;
use std::ops::Index;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::facts::Sign;

/// Places that show a habit, by sign; each a 1-based line, in the order of the source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signs {
    /// Each sign, in order, with the end of its lines.
    ends: Box<[(Sign, u32)]>,
    lines: Box<[u32]>,
}

impl Signs {
    /// The signs of these places, in any order.
    pub(crate) fn new(places: impl IntoIterator<Item = (Sign, u32)>) -> Signs {
        let mut places: Vec<(Sign, u32)> = places.into_iter().collect();
        places.sort_unstable();
        let ends = places.chunk_by(|one, next| one.0 == next.0);
        let ends = ends.scan(0_usize, |end, of_sign| {
            *end += of_sign.len();
            Some((of_sign[0].0, u32::try_from(*end).unwrap_or(u32::MAX)))
        });
        Signs {
            ends: ends.collect(),
            lines: places.iter().map(|(_, line)| *line).collect(),
        }
    }

    /// The lines with a sign, if there are any.
    #[must_use]
    pub fn get(&self, sign: Sign) -> Option<&[u32]> {
        let at = self.ends.binary_search_by_key(&sign, |(sign, _)| *sign);
        self.lines_at(at.ok()?)
    }

    /// Whether the file has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Each sign with its lines.
    pub fn iter(&self) -> impl Iterator<Item = (Sign, &[u32])> {
        let signs = self.ends.iter().enumerate();
        signs.filter_map(|(at, (sign, _))| Some((*sign, self.lines_at(at)?)))
    }

    /// The same signs with more places.
    pub(crate) fn with(self, more: impl IntoIterator<Item = (Sign, u32)>) -> Signs {
        let known = self.iter();
        let known = known.flat_map(|(sign, lines)| lines.iter().map(move |line| (sign, *line)));
        Signs::new(known.chain(more))
    }

    fn lines_at(&self, at: usize) -> Option<&[u32]> {
        let end = |at: usize| self.ends.get(at).map(|(_, end)| *end as usize);
        let start = at.checked_sub(1).map_or(Some(0), end)?;
        self.lines.get(start..end(at)?)
    }
}

impl Index<Sign> for Signs {
    type Output = [u32];

    fn index(&self, sign: Sign) -> &[u32] {
        self.get(sign).unwrap_or(&[])
    }
}

impl Serialize for Signs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The cache needs the number of signs first.
        let mut map = serializer.serialize_map(Some(self.ends.len()))?;
        for (sign, lines) in self.iter() {
            map.serialize_entry(&sign, lines)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Signs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Signs, D::Error> {
        let signs = BTreeMap::<Sign, Vec<u32>>::deserialize(deserializer)?;
        let places = signs.into_iter();
        Ok(Signs::new(places.flat_map(|(sign, lines)| {
            lines.into_iter().map(move |line| (sign, line))
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_sorted_and_kept_as_a_map() {
        use Sign::{CatchBroad, ErrorWrapped, ThrowNew};
        let signs = Signs::new([(ThrowNew, 9), (CatchBroad, 4), (ThrowNew, 2)]);
        assert_eq!(
            (&signs[ThrowNew], &signs[CatchBroad]),
            (&[2, 9][..], &[4][..])
        );
        assert_eq!(
            (&signs[ErrorWrapped], signs.get(ErrorWrapped)),
            (&[][..], None)
        );
        let bytes = postcard::to_stdvec(&signs).unwrap();
        let map = BTreeMap::from([(CatchBroad, vec![4_u32]), (ThrowNew, vec![2, 9])]);
        assert_eq!(bytes, postcard::to_stdvec(&map).unwrap());
        assert_eq!(postcard::from_bytes::<Signs>(&bytes).unwrap(), signs);
        let more = signs.with([(ErrorWrapped, 7), (CatchBroad, 3)]);
        assert_eq!(
            (&more[CatchBroad], &more[ErrorWrapped]),
            (&[3, 4][..], &[7][..])
        );
        assert!(Signs::default().is_empty());
    }
}
