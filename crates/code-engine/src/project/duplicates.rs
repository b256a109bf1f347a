//! Duplicated code, detected by the windows that files share ([`Windows`](super::super::windows::Windows)).
//!
//! Windows that occur more than once are numbered by content, and each file becomes runs of such numbers. A suffix
//! array over all runs (U. Manber, G. Myers, "Suffix arrays", SIAM Journal on Computing 22, 1993) puts equal repeats
//! next to each other: an interval of suffixes with a common prefix is a group of clones with the length of the
//! prefix. So the time is that of sorting, regardless of the number of repeats.
//!
//! Limits: files that are equal in all their windows are compared once and reported together; at most [`COMPARED_CAP`]
//! repeated windows are compared, those of the first files by path; a group lists [`PLACES_CAP`] of its places. A
//! clone may extend up to 14 tokens beyond the reported range on either side, because only one window in eight is
//! selected.
//!
//! Longer than 450 lines: repeats, groups and places share their numbering.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::super::evidence::CodeLocation;
use super::super::windows::{CLONE_TOKENS_FOUND, WINDOW_TOKENS, Window, Windows};
use super::role::{self, Role};
use super::suffixes::{Interval, Suffixes};
use super::{EarlierResult, SourceFile};
use kept::EarlierRepeats;

mod kept;

pub(crate) use kept::KeptRepeats;

/// The maximum number of groups that an analysis reports.
pub const CLONE_CAP: usize = 50;

/// The maximum number of places in one group.
pub const PLACES_CAP: usize = 20;

/// The minimum length of a clone in lines, as in jscpd.
const LINES_MIN: u32 = 5;

/// The maximum number of windows that are compared after they are known to occur twice: about two million lines of
/// copies, using some 100 MB.
const COMPARED_CAP: usize = 1 << 21;

/// The maximum number of places that are examined before groups are reported.
const LOOKED_AT_CAP: usize = 1 << 18;

/// Duplicated code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneGroup {
    /// Its length in tokens, without comments and imports.
    pub tokens: u32,
    /// The number of lines in the first place.
    pub lines: u32,
    /// The number of occurrences.
    pub count: u32,
    /// Whether all of its places are tests, or stand in for something in tests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tests: bool,
    /// The places, in the order of their paths: at least two, at most [`PLACES_CAP`].
    pub places: Vec<CodeLocation>,
}

/// The detected duplicates.
#[derive(Debug, Default)]
pub(crate) struct Duplicates {
    /// The groups, longest first.
    pub groups: Vec<CloneGroup>,
    /// Lines with tokens that belong to any clone, each once.
    pub lines: u32,
}

/// Finds the clones among `files`, which are sorted by path. Fixtures are excluded, because they repeat what they test.
/// If the repeated windows are kept between runs, `kept` is what an earlier run stored, and the second result replaces
/// it.
pub(crate) fn find(
    files: &[&SourceFile],
    kept: EarlierResult<'_, KeptRepeats>,
) -> (Duplicates, Option<KeptRepeats>) {
    let mut copies: Vec<Copies<'_>> = Vec::new();
    let mut known: FxHashMap<&Windows, usize> = FxHashMap::default();
    for file in files {
        let windows = &file.facts.windows;
        if windows.is_empty() || role::of(&file.path) == Role::Fixture {
            continue;
        }
        let place = *known.entry(windows).or_insert(copies.len());
        match copies.get_mut(place) {
            Some(one) => one.files.push(file),
            None => copies.push(Copies { files: vec![file] }),
        }
    }
    drop(known);
    let kept = kept.filter(|_| kept::is_kept(&copies));
    let earlier = kept.flatten();
    let earlier = earlier.and_then(|kept| EarlierRepeats::new(kept, &copies));
    let will_do = earlier.as_ref().is_some_and(|earlier| earlier.will_do);
    let repeated = exactly(match earlier {
        Some(earlier) => candidates_known(&copies, &earlier),
        None => candidates(&copies),
    });
    let is_worth_it = kept.is_some() && !will_do;
    let kept = is_worth_it.then(|| KeptRepeats::new(&copies, &repeated));
    let sequence = Sequence::new(&repeated);
    let suffixes = Suffixes::new(&sequence.symbols);
    let lines = lines(&copies, &repeated, &sequence, &suffixes);
    let duplicates = Duplicates {
        groups: groups(&copies, &repeated, &sequence, &suffixes),
        lines,
    };
    (duplicates, kept)
}

/// Files with equal windows; usually only one.
struct Copies<'f> {
    files: Vec<&'f SourceFile>,
}

impl Copies<'_> {
    fn windows(&self) -> Option<&Windows> {
        self.files.first().map(|file| &file.facts.windows)
    }

    /// The key of the content and the language, which the windows are of.
    fn key(&self) -> u64 {
        self.files.first().map_or(0, |file| file.content_key())
    }
}

/// A window that occurs more than once.
#[derive(Debug, Clone, Copy)]
struct Repeated {
    /// The number of its content, which equal windows share.
    class: u32,
    /// Its index among the copies.
    file: u32,
    /// Its index among the windows of the file.
    ordinal: u32,
    token: u32,
    first: u32,
    last: u32,
}

/// Windows that may occur in more than one place, in the order of files and lines. Each print has the index of its
/// window.
#[derive(Debug, Default)]
struct Candidates {
    found: Vec<Repeated>,
    prints: Vec<(u64, u32)>,
}

impl Candidates {
    fn push(&mut self, file: u32, ordinal: u32, window: Window) {
        self.prints.push((window.print, self.found.len() as u32));
        self.found.push(Repeated {
            class: 0,
            file,
            ordinal,
            token: window.token,
            first: window.first,
            last: window.last,
        });
    }
}

/// The windows that two bits per print tell from others.
fn candidates(copies: &[Copies<'_>]) -> Candidates {
    let windows = || copies.iter().filter_map(Copies::windows);
    let count: usize = windows().map(|windows| windows.iter().count()).sum();
    // First with two bits per print: whether it was seen once, and whether it was seen again. Most windows occur once,
    // and are dropped here.
    let bits = (count * 16).next_power_of_two().clamp(1 << 10, 1 << 30);
    let (mut seen, mut again) = (vec![0u64; bits / 64], vec![0u64; bits / 64]);
    let place = |print: u64| {
        let bit = (print ^ print >> 24) as usize & (bits - 1);
        (bit / 64, 1u64 << (bit % 64))
    };
    for window in windows().flat_map(Windows::iter) {
        let (word, bit) = place(window.print);
        again[word] |= seen[word] & bit;
        seen[word] |= bit;
    }
    drop(seen);
    let mut candidates = Candidates::default();
    for (file, windows) in (0u32..).zip(windows()) {
        for (ordinal, window) in (0u32..).zip(windows.iter()) {
            let (word, bit) = place(window.print);
            if again[word] & bit == 0 {
                continue;
            }
            if candidates.found.len() == COMPARED_CAP {
                return candidates;
            }
            candidates.push(file, ordinal, window);
        }
    }
    candidates
}

/// The windows that an earlier run, and the files that changed since, tell from others.
fn candidates_known(copies: &[Copies<'_>], earlier: &EarlierRepeats<'_>) -> Candidates {
    let mut candidates = Candidates::default();
    for (file, one) in (0u32..).zip(copies) {
        for (ordinal, window) in earlier.candidates(one) {
            candidates.push(file, ordinal, window);
        }
    }
    candidates
}

/// The candidates that occur in more than one place, numbered by content.
fn exactly(candidates: Candidates) -> Vec<Repeated> {
    let Candidates {
        mut found,
        mut prints,
    } = candidates;
    prints.sort_unstable();
    let mut class = 0u32;
    for alike in prints
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|alike| alike.len() > 1)
    {
        class += 1;
        for (_, place) in alike {
            found[*place as usize].class = class;
        }
    }
    found.retain(|window| window.class > 0);
    found
}

/// The repeated windows as one sequence of numbers. After each run there is a unique number.
#[derive(Debug, Default)]
struct Sequence {
    symbols: Vec<u32>,
    /// For each symbol its index among the repeated windows; [`END`] after a run.
    windows: Vec<u32>,
}

const END: u32 = u32::MAX;

impl Sequence {
    fn new(repeated: &[Repeated]) -> Sequence {
        let mut sequence = Sequence::default();
        let mut ends = repeated
            .iter()
            .map(|window| window.class)
            .max()
            .unwrap_or(0);
        for (place, window) in (0u32..).zip(repeated) {
            sequence.symbols.push(window.class);
            sequence.windows.push(place);
            let goes_on = repeated
                .get(place as usize + 1)
                .is_some_and(|next| follows(window, next));
            if !goes_on {
                ends += 1;
                sequence.symbols.push(ends);
                sequence.windows.push(END);
            }
        }
        sequence
    }

    fn window<'r>(&self, at: u32, repeated: &'r [Repeated]) -> Option<&'r Repeated> {
        repeated.get(*self.windows.get(at as usize)? as usize)
    }
}

/// Whether two windows are consecutive: no token is between them, nor a window that occurs only once.
fn follows(window: &Repeated, next: &Repeated) -> bool {
    next.file == window.file
        && next.ordinal == window.ordinal + 1
        && next.token.wrapping_sub(window.token) as usize <= WINDOW_TOKENS
}

/// A run of windows in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    file: u32,
    token: u32,
    token_end: u32,
    first: u32,
    last: u32,
}

impl Span {
    fn new(sequence: &Sequence, repeated: &[Repeated], at: u32, length: u32) -> Option<Span> {
        let from = sequence.window(at, repeated)?;
        let to = sequence.window(at + length.checked_sub(1)?, repeated)?;
        Some(Span {
            file: from.file,
            token: from.token,
            token_end: to.token.saturating_add(WINDOW_TOKENS as u32),
            first: from.first,
            last: to.last,
        })
    }

    fn tokens(&self) -> u32 {
        self.token_end.saturating_sub(self.token)
    }

    fn lines(&self) -> u32 {
        self.last.saturating_sub(self.first) + 1
    }

    /// The number of tokens in both.
    fn shared(&self, other: &Span) -> u32 {
        let end = self.token_end.min(other.token_end);
        end.saturating_sub(self.token.max(other.token))
    }

    fn overlaps(&self, other: &Span) -> bool {
        self.file == other.file && self.shared(other) > 0
    }
}

/// Counts the lines of all clones, each line once. At each window, the longest run that also occurs elsewhere counts.
fn lines(
    copies: &[Copies<'_>],
    repeated: &[Repeated],
    sequence: &Sequence,
    suffixes: &Suffixes,
) -> u32 {
    let mut longest = vec![0u32; sequence.symbols.len()];
    for (index, common) in suffixes.neighbours() {
        let (one, other) = (suffixes.order[index - 1], suffixes.order[index]);
        let spans = [one, other].map(|at| Span::new(sequence, repeated, at, common));
        let [Some(a), Some(b)] = spans else {
            continue;
        };
        // A run that overlaps its own copy is a clone only if two windows fit without overlap.
        let fits =
            !a.overlaps(&b) || a.token.abs_diff(b.token) + a.tokens() >= 2 * WINDOW_TOKENS as u32;
        if fits && a.lines() >= LINES_MIN && b.lines() >= LINES_MIN {
            for at in [one, other] {
                let length = &mut longest[at as usize];
                *length = (*length).max(common);
            }
        }
    }
    let mut total = 0u32;
    let mut counted = (0u32, 0u32);
    for (at, length) in (0u32..).zip(&longest) {
        let Some(span) = Span::new(sequence, repeated, at, *length) else {
            continue;
        };
        let done = if counted.0 == span.file { counted.1 } else { 0 };
        let from = span.first.max(done.saturating_add(1));
        if let Some(one) = copies.get(span.file as usize)
            && from <= span.last
            && let (1, Some(windows)) = (one.files.len(), one.windows())
        {
            total = total.saturating_add(windows.lines_with_tokens(from, span.last));
        }
        counted = (span.file, span.last.max(done));
    }
    // Equal files are clones from end to end.
    for one in copies.iter().filter(|one| one.files.len() > 1) {
        if let (Some(span), Some(windows)) = (whole(0, one), one.windows())
            && span.lines() >= LINES_MIN
        {
            let each = windows.lines_with_tokens(span.first, span.last);
            let files = u32::try_from(one.files.len()).unwrap_or(u32::MAX);
            total = total.saturating_add(each.saturating_mul(files));
        }
    }
    total
}

/// From the first window of a file to its last.
fn whole(file: u32, copies: &Copies<'_>) -> Option<Span> {
    let windows = copies.windows()?;
    let first = windows.iter().next()?;
    let last = windows.iter().last()?;
    Some(Span {
        file,
        token: first.token,
        token_end: last.token.saturating_add(WINDOW_TOKENS as u32),
        first: first.first,
        last: last.last,
    })
}

/// A clone group before its spans become locations.
#[derive(Debug)]
struct Group {
    tokens: u32,
    count: u32,
    /// The places in the order of the files. The first of equal files represents all.
    places: Vec<Span>,
}

impl Group {
    /// Whether this group is an extension of the other to more places: it contains the other's places, and is shorter
    /// by at most the unknown tokens at both ends, or by a fifth.
    fn supersedes(&self, other: &Group) -> bool {
        let unknown = 2 * (CLONE_TOKENS_FOUND - WINDOW_TOKENS) as u32;
        let as_long = |part: u32, whole: u32| {
            part.saturating_add(unknown) >= whole || u64::from(part) * 5 >= u64::from(whole) * 4
        };
        let holds = |place: &Span| {
            let before = |own: &Span| (own.file, own.token_end) <= (place.file, place.token);
            let from = self.places.partition_point(before);
            let mut own = self.places[from..].iter().take(2);
            own.any(|own| own.overlaps(place) && as_long(own.shared(place), place.tokens()))
        };
        self.count > other.count
            && as_long(self.tokens, other.tokens)
            && other.places.iter().all(holds)
    }

    fn told(self, copies: &[Copies<'_>]) -> CloneGroup {
        let located = |span: &Span, file: &SourceFile| CodeLocation {
            source_id: None,
            path: file.path.clone(),
            start_line: span.first,
            end_line: span.last,
            blob: file.blob.clone(),
        };
        let mut places: Vec<CodeLocation> = self
            .places
            .iter()
            .take(PLACES_CAP)
            .filter_map(|span| Some((span, copies.get(span.file as usize)?)))
            .flat_map(|(span, one)| {
                let all = if self.places.len() == 1 {
                    PLACES_CAP
                } else {
                    1
                };
                one.files
                    .iter()
                    .take(all)
                    .map(move |file| located(span, file))
            })
            .collect();
        places.sort_unstable();
        let mut spans = self.places.iter().take(PLACES_CAP);
        let tests = spans.all(|span| {
            let files = copies.get(span.file as usize).map(|one| &one.files);
            files.is_none_or(|files| files.iter().all(|file| is_for_tests(file, span)))
        });
        CloneGroup {
            tests,
            tokens: self.tokens,
            lines: places
                .first()
                .map_or(0, |place| place.end_line - place.start_line + 1),
            count: self.count,
            places,
        }
    }
}

/// Whether a place is a test, or stands in for something in tests: by its file, or by the definitions that it is in.
fn is_for_tests(file: &SourceFile, span: &Span) -> bool {
    let definitions = file.facts.definitions.iter();
    let mut within = definitions
        .filter(|one| one.start_line <= span.last && one.end_line >= span.first)
        .peekable();
    role::of(&file.path) == Role::Test
        || role::is_stand_in(&file.path)
        || (within.peek().is_some() && within.all(|one| one.test))
}

/// The reported tokens of each file, as disjoint stretches: the start and the end of each.
#[derive(Debug, Default)]
struct ReportedStretches {
    stretches: BTreeMap<(u32, u32), u32>,
}

impl ReportedStretches {
    /// Whether three quarters of each place of the group are already reported, so that the group adds nothing.
    fn covers(&self, group: &Group) -> bool {
        group
            .places
            .iter()
            .all(|place| u64::from(self.shared(place)) * 4 >= u64::from(place.tokens()) * 3)
    }

    /// The number of a place's tokens that are already reported.
    fn shared(&self, place: &Span) -> u32 {
        self.stretches
            .range((place.file, 0)..(place.file, place.token_end))
            .rev()
            .take_while(|(_, end)| **end > place.token)
            .map(|((_, start), end)| (*end).min(place.token_end) - (*start).max(place.token))
            .sum()
    }

    fn add(&mut self, group: &Group) {
        for place in &group.places {
            let (mut start, mut end) = (place.token, place.token_end);
            while let Some((&(file, from), &to)) = self
                .stretches
                .range((place.file, 0)..=(place.file, end))
                .next_back()
                .filter(|(_, to)| **to >= start)
            {
                self.stretches.remove(&(file, from));
                (start, end) = (start.min(from), end.max(to));
            }
            self.stretches.insert((place.file, start), end);
        }
    }
}

/// A candidate for a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Candidate {
    /// A file with equal files, by its index among the copies.
    File(usize),
    /// Suffixes with a common prefix.
    Runs(Interval),
}

/// Returns the longest groups; of equal length, those with more places.
fn groups(
    copies: &[Copies<'_>],
    repeated: &[Repeated],
    sequence: &Sequence,
    suffixes: &Suffixes,
) -> Vec<CloneGroup> {
    let files = copies.iter().enumerate();
    let files = files.filter(|(_, one)| one.files.len() > 1);
    let files = files.filter_map(|(file, one)| {
        let tokens = whole(0, one)?.tokens();
        Some((Candidate::File(file), tokens, one.files.len()))
    });
    let before = |at: u32| Some(sequence.window(at.checked_sub(1)?, repeated)?.class);
    let runs = suffixes
        .maximal_intervals(before)
        .into_iter()
        .filter_map(|interval| {
            let at = *suffixes.order.get(interval.first)?;
            let tokens = Span::new(sequence, repeated, at, interval.common)?.tokens();
            Some((Candidate::Runs(interval), tokens, interval.count()))
        });
    let mut candidates: Vec<(u32, usize, Candidate)> = files
        .chain(runs)
        .filter(|(_, _, count)| *count > 1)
        .map(|(one, tokens, count)| (tokens, count, one))
        .collect();
    candidates
        .sort_unstable_by_key(|(tokens, count, one)| (std::cmp::Reverse((*tokens, *count)), *one));
    let mut found: Vec<Group> = Vec::new();
    let mut named = ReportedStretches::default();
    let mut looked_at = 0usize;
    for (_, count, candidate) in candidates {
        looked_at += count;
        if looked_at > LOOKED_AT_CAP || found.len() == CLONE_CAP {
            break;
        }
        let group = match candidate {
            Candidate::File(file) => copies.get(file).and_then(|one| whole_file(file, one)),
            Candidate::Runs(interval) => runs_group(repeated, sequence, suffixes, interval),
        };
        if let Some(group) = group.filter(|group| !named.covers(group)) {
            named.add(&group);
            found.retain(|other| !group.supersedes(other));
            found.push(group);
        }
    }
    found.sort_by(|a, b| {
        (b.tokens, b.count)
            .cmp(&(a.tokens, a.count))
            .then_with(|| a.places.cmp(&b.places))
    });
    found.into_iter().map(|group| group.told(copies)).collect()
}

/// The group of equal files: one place, which represents all of them.
fn whole_file(file: usize, copies: &Copies<'_>) -> Option<Group> {
    let span = whole(u32::try_from(file).ok()?, copies)?;
    (span.lines() >= LINES_MIN).then(|| Group {
        tokens: span.tokens(),
        count: u32::try_from(copies.files.len()).unwrap_or(u32::MAX),
        places: vec![span],
    })
}

/// Returns the places of an interval that contain the same tokens as the first, do not overlap and are long enough.
/// `None` if there are fewer than two.
fn runs_group(
    repeated: &[Repeated],
    sequence: &Sequence,
    suffixes: &Suffixes,
    interval: Interval,
) -> Option<Group> {
    let mut starts: Vec<u32> = suffixes.order.get(interval.first..=interval.last)?.to_vec();
    starts.sort_unstable();
    let steps = |at: u32| {
        (at..at + interval.common).map(move |at| sequence.window(at, repeated).map(|one| one.token))
    };
    let pattern: Vec<u32> = steps(*starts.first()?).flatten().collect();
    let mut places: Vec<Span> = Vec::new();
    let mut before: Option<Span> = None;
    for at in starts {
        // Equal windows at different distances come from code that repeats itself every few tokens.
        let shift = sequence.window(at, repeated)?.token;
        let alike = steps(at).zip(&pattern).all(|(token, other)| {
            token.is_some_and(|token| token.wrapping_sub(shift) == other.wrapping_sub(pattern[0]))
        });
        let span = Span::new(sequence, repeated, at, interval.common)?;
        let apart = before.is_none_or(|before| !before.overlaps(&span));
        if alike && apart && span.lines() >= LINES_MIN {
            before = Some(span);
            places.push(span);
        }
    }
    (places.len() > 1).then(|| Group {
        tokens: places.first().map_or(0, Span::tokens),
        count: u32::try_from(places.len()).unwrap_or(u32::MAX),
        places,
    })
}

#[cfg(test)]
mod tests;
