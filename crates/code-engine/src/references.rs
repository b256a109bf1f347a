//! The references of a file by name, in a compact form: each name once, with its lines.

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The maximum number of stored occurrences per file; later ones are dropped. It bounds the facts of one file.
pub(crate) const OCCURRENCE_CAP: usize = 1 << 16;

/// The maximum length of a name, in bytes: longer names are not definitions.
const NAME_CAP: usize = 120;

/// The kind of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReferenceKind {
    /// A call, a construction or a macro invocation.
    Call,
    /// A use as a type, a base class, a trait or an annotation.
    Type,
    /// Any other use.
    Name,
}

impl ReferenceKind {
    const ALL: [ReferenceKind; 3] = [
        ReferenceKind::Call,
        ReferenceKind::Type,
        ReferenceKind::Name,
    ];
}

/// One name that a file refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference<'f> {
    /// The name as written, without white space and with `.` as separator in every language: `console.log`,
    /// `self.client.get`, `std.fs.read`. A leading `.` means that an unnamed expression precedes it.
    pub path: &'f str,
    /// The kind of use.
    pub kind: ReferenceKind,
    /// Whether it is in test code.
    pub test: bool,
    /// Whether its first name is a variable or parameter of a function around it.
    pub local: bool,
    /// Whether its first name is one of the top level, whatever module it is used in: `::Rails` in Ruby.
    pub top: bool,
    lines: &'f [u8],
    count: u32,
}

impl<'f> Reference<'f> {
    /// The last part of the path: `log` of `console.log`.
    #[must_use]
    pub fn name(&self) -> &'f str {
        self.path
            .rsplit_once('.')
            .map_or(self.path, |(_, name)| name)
    }

    /// The number of occurrences; two on one line count twice.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The lines, counted from 1, in the order of the source.
    pub fn lines(&self) -> impl Iterator<Item = u32> + 'f {
        let mut rest = self.lines;
        let mut line = 0u32;
        std::iter::from_fn(move || {
            let (step, after) = number_read(rest)?;
            rest = after;
            line = line.wrapping_add(step);
            Some(line)
        })
    }

    /// The first line.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.lines().next().unwrap_or(1)
    }
}

/// Where a name is used, and where its first part is defined as far as the file tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ReferenceScope {
    /// See [`Reference::test`].
    pub test: bool,
    /// See [`Reference::local`].
    pub local: bool,
    /// See [`Reference::top`].
    pub top: bool,
}

impl ReferenceScope {
    const TEST: u8 = 1;
    const LOCAL: u8 = 1 << 3;
    const TOP: u8 = 1 << 4;

    fn flags(self) -> u8 {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        flag(self.test, Self::TEST) | flag(self.local, Self::LOCAL) | flag(self.top, Self::TOP)
    }

    fn read(flags: u8) -> ReferenceScope {
        ReferenceScope {
            test: flags & Self::TEST != 0,
            local: flags & Self::LOCAL != 0,
            top: flags & Self::TOP != 0,
        }
    }
}

/// The bits of the kind among the flags.
const KIND_SHIFT: u8 = 1;
const KIND_MASK: u8 = 3;

/// All references of one file, by path and then by kind and scope. The names of its own definitions are
/// included where they are used, not where they are defined.
///
/// They are encoded in one byte string: for each name its length, the name, its flags, the number of its lines, the
/// length of their encoding, and the lines as differences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    bytes: Box<[u8]>,
}

impl References {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The references that are `wanted`, in the same order.
    pub(crate) fn filtered(&self, wanted: impl Fn(&Reference<'_>) -> bool) -> References {
        let mut bytes = Vec::new();
        let mut rest: &[u8] = &self.bytes;
        while let Some((reference, after)) = reference_read(rest) {
            if wanted(&reference) {
                bytes.extend_from_slice(&rest[..rest.len() - after.len()]);
            }
            rest = after;
        }
        References {
            bytes: bytes.into_boxed_slice(),
        }
    }

    /// The references.
    pub fn iter(&self) -> impl Iterator<Item = Reference<'_>> {
        let mut rest: &[u8] = &self.bytes;
        std::iter::from_fn(move || {
            let (reference, after) = reference_read(rest)?;
            rest = after;
            Some(reference)
        })
    }
}

impl Serialize for References {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.bytes)
    }
}

impl<'de> Deserialize<'de> for References {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes: Cow<'_, [u8]> = <&[u8]>::deserialize(deserializer)?.into();
        // Only the boundaries are checked here: reading stops at a path that is not valid UTF-8.
        let mut rest: &[u8] = &bytes;
        while !rest.is_empty() {
            rest = parts_read(rest)
                .ok_or_else(|| D::Error::custom("invalid list of references"))?
                .1;
        }
        Ok(References {
            bytes: bytes.into_owned().into_boxed_slice(),
        })
    }
}

/// The parts of one reference.
struct Parts<'b> {
    path: &'b [u8],
    kind: ReferenceKind,
    scope: ReferenceScope,
    lines: &'b [u8],
    count: u32,
}

fn parts_read(bytes: &[u8]) -> Option<(Parts<'_>, &[u8])> {
    let (length, rest) = number_read(bytes)?;
    let (path, rest) = rest.split_at_checked(length as usize)?;
    let (&flags, rest) = rest.split_first()?;
    let (count, rest) = number_read(rest)?;
    let (length, rest) = number_read(rest)?;
    let (lines, rest) = rest.split_at_checked(length as usize)?;
    let parts = Parts {
        path,
        kind: *ReferenceKind::ALL.get(usize::from(flags >> KIND_SHIFT & KIND_MASK))?,
        scope: ReferenceScope::read(flags),
        lines,
        count,
    };
    Some((parts, rest))
}

fn reference_read(bytes: &[u8]) -> Option<(Reference<'_>, &[u8])> {
    let (parts, rest) = parts_read(bytes)?;
    let reference = Reference {
        path: std::str::from_utf8(parts.path).ok()?,
        kind: parts.kind,
        test: parts.scope.test,
        local: parts.scope.local,
        top: parts.scope.top,
        lines: parts.lines,
        count: parts.count,
    };
    Some((reference, rest))
}

/// Decodes a variable-length integer with seven bits per byte, lowest first. The second result is the rest of the
/// bytes.
pub(crate) fn number_read(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0u32;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= u32::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

/// Encodes an integer for [`number_read`].
pub(crate) fn number_write(mut value: u32, bytes: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// Collects the references during the walk of a file.
#[derive(Debug, Default)]
pub(crate) struct ReferenceCollector<'s> {
    /// Each distinct name with its flags, and its index.
    places: FxHashMap<(Cow<'s, str>, u8), u32>,
    /// Each occurrence: the index of its name, and the line.
    occurrences: Vec<(u32, u32)>,
}

impl<'s> ReferenceCollector<'s> {
    pub(crate) fn add(
        &mut self,
        path: Cow<'s, str>,
        kind: ReferenceKind,
        scope: ReferenceScope,
        line: u32,
    ) {
        if path.is_empty() || path.len() > NAME_CAP || self.occurrences.len() == OCCURRENCE_CAP {
            return;
        }
        let kind = match kind {
            ReferenceKind::Call => 0,
            ReferenceKind::Type => 1,
            ReferenceKind::Name => 2,
        };
        let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let place = *self
            .places
            .entry((path, kind << KIND_SHIFT | scope.flags()))
            .or_insert(next);
        self.occurrences.push((place, line));
    }

    pub(crate) fn finish(self) -> References {
        let mut lines: Vec<Vec<u32>> = vec![Vec::new(); self.places.len()];
        for (place, line) in self.occurrences {
            if let Some(lines) = lines.get_mut(place as usize) {
                lines.push(line);
            }
        }
        let mut names: Vec<((Cow<'_, str>, u8), u32)> = self.places.into_iter().collect();
        names.sort_unstable();
        let mut bytes = Vec::with_capacity(names.len() * 16);
        let mut encoded = Vec::new();
        for ((path, flags), place) in names {
            let Some(lines) = lines.get_mut(place as usize) else {
                continue;
            };
            lines.sort_unstable();
            number_write(u32::try_from(path.len()).unwrap_or(0), &mut bytes);
            bytes.extend_from_slice(path.as_bytes());
            bytes.push(flags);
            encoded.clear();
            let mut before = 0u32;
            for line in &*lines {
                number_write(line - before, &mut encoded);
                before = *line;
            }
            number_write(u32::try_from(lines.len()).unwrap_or(0), &mut bytes);
            number_write(u32::try_from(encoded.len()).unwrap_or(0), &mut bytes);
            bytes.extend_from_slice(&encoded);
        }
        References {
            bytes: bytes.into_boxed_slice(),
        }
    }
}

/// The path of a chain of names as written: without white space, and with `.` for every separator (`::`, `->`, `?.`,
/// `!.`). `None` if it contains anything other than names and separators: a call, an index, a literal, type arguments.
pub(crate) fn path_of(written: &str) -> Option<Cow<'_, str>> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '#');
    if written.len() > NAME_CAP || written.is_empty() {
        return None;
    }
    if written.chars().all(|c| is_word(c) || c == '.') {
        return Some(Cow::Borrowed(written));
    }
    let mut path = String::with_capacity(written.len());
    for c in written.chars() {
        if is_word(c) {
            path.push(c);
        } else if c.is_whitespace() {
        } else if matches!(c, '.' | ':' | '-' | '>' | '?' | '!' | '&' | '\\') {
            if !path.ends_with('.') {
                path.push('.');
            }
        } else {
            return None;
        }
    }
    Some(Cow::Owned(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(found: &[(&'static str, ReferenceKind, bool, u32)]) -> References {
        let mut collector = ReferenceCollector::default();
        for (path, kind, test, line) in found {
            let scope = ReferenceScope {
                test: *test,
                ..ReferenceScope::default()
            };
            collector.add(Cow::Borrowed(path), *kind, scope, *line);
        }
        collector.finish()
    }

    #[test]
    fn names_come_back_in_order_with_their_lines() {
        use ReferenceKind::{Call, Name};
        let references = collected(&[
            ("b.run", Call, false, 300),
            ("a", Name, false, 2),
            ("b.run", Call, false, 4),
            ("b.run", Call, true, 9),
            ("b.run", Call, false, 4),
        ]);
        let found: Vec<_> = references
            .iter()
            .map(|one| {
                let lines: Vec<u32> = one.lines().collect();
                (one.path, one.name(), one.test, one.count(), lines)
            })
            .collect();
        assert_eq!(
            found,
            [
                ("a", "a", false, 1, vec![2]),
                ("b.run", "run", false, 3, vec![4, 4, 300]),
                ("b.run", "run", true, 1, vec![9]),
            ]
        );
        let bytes = postcard::to_stdvec(&references).unwrap();
        assert_eq!(
            postcard::from_bytes::<References>(&bytes).unwrap(),
            references
        );
    }

    #[test]
    fn the_scope_of_a_name_comes_back() {
        for (local, top) in [(false, false), (true, false), (false, true)] {
            for kind in ReferenceKind::ALL {
                let scope = ReferenceScope {
                    test: local,
                    local,
                    top,
                };
                let mut collector = ReferenceCollector::default();
                collector.add(Cow::Borrowed("name"), kind, scope, 7);
                let references = collector.finish();
                let one = references.iter().next().unwrap();
                assert_eq!(
                    (one.kind, one.test, one.local, one.top),
                    (kind, local, local, top)
                );
            }
        }
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let references = collected(&[("name", ReferenceKind::Type, false, 7)]);
        let whole = &references.bytes;
        for length in 1..whole.len() {
            let bytes = postcard::to_stdvec(&References {
                bytes: whole[..length].into(),
            });
            assert!(postcard::from_bytes::<References>(&bytes.unwrap()).is_err());
        }
    }

    #[test]
    fn a_chain_of_names_is_a_path_whatever_separates_them() {
        for (written, path) in [
            ("console.log", Some("console.log")),
            ("std::fs::read", Some("std.fs.read")),
            ("a?.b\n  .c", Some("a.b.c")),
            ("p->next->run", Some("p.next.run")),
            ("f(x).y", None),
            ("a[0].b", None),
        ] {
            assert_eq!(path_of(written).as_deref(), path, "{written}");
        }
    }
}
