//! A suffix array over numbers, and the repeats in it.

/// A common prefix of adjacent suffixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Interval {
    /// The first of them, as an index into [`Suffixes::order`].
    pub first: usize,
    /// The last of them.
    pub last: usize,
    /// The length of the common prefix in symbols.
    pub common: u32,
}

impl Interval {
    /// The number of suffixes.
    pub(super) fn count(&self) -> usize {
        self.last - self.first + 1
    }
}

/// The sorted suffixes of a sequence.
#[derive(Debug, Default)]
pub(super) struct Suffixes {
    /// The start of each suffix.
    pub order: Vec<u32>,
    /// The length of the prefix that each suffix shares with the previous one.
    common: Vec<u32>,
}

impl Suffixes {
    /// Sorts the suffixes of `symbols`, the last of which must be unique. Prefix doubling: suffixes that agree in their
    /// first 2^n symbols are ordered by the known ranks 2^n further on (U. Manber, G. Myers). Only groups that are not
    /// yet sorted are processed (N. Larsson, K. Sadakane, "Faster suffix sorting", Theoretical Computer Science 387,
    /// 2007).
    pub(super) fn new(symbols: &[u32]) -> Suffixes {
        let mut order: Vec<u32> = (0u32..).take(symbols.len()).collect();
        let symbol = |at: &u32| symbols.get(*at as usize).copied();
        order.sort_unstable_by_key(|at| (symbol(at), *at));
        // The rank of a suffix is the index of the last suffix in its group of yet equal ones.
        let mut ranks = vec![0u32; symbols.len()];
        let mut open: Vec<(usize, usize)> = Vec::new();
        let mut start = 0usize;
        for alike in order.chunk_by(|a, b| symbol(a) == symbol(b)) {
            let end = start + alike.len();
            for at in alike {
                ranks[*at as usize] = (end - 1) as u32;
            }
            if alike.len() > 1 {
                open.push((start, end));
            }
            start = end;
        }
        let mut known = 1usize;
        let mut keyed: Vec<(u32, u32)> = Vec::new();
        while !open.is_empty() {
            let mut next: Vec<(usize, usize)> = Vec::new();
            for (start, end) in open {
                let part = &mut order[start..end];
                keyed.clear();
                keyed.extend(part.iter().map(|at| {
                    let further = ranks.get(*at as usize + known);
                    (further.map_or(0, |rank| rank + 1), *at)
                }));
                keyed.sort_unstable();
                let mut from = start;
                for alike in keyed.chunk_by(|a, b| a.0 == b.0) {
                    let to = from + alike.len();
                    for (place, (_, at)) in (from..).zip(alike) {
                        order[place] = *at;
                        ranks[*at as usize] = (to - 1) as u32;
                    }
                    if alike.len() > 1 {
                        next.push((from, to));
                    }
                    from = to;
                }
            }
            open = next;
            known *= 2;
            if known > symbols.len() {
                break;
            }
        }
        let common = common(symbols, &order, &ranks);
        Suffixes { order, common }
    }

    /// Each suffix that shares a prefix with the previous one: its index, and the length of the prefix.
    pub(super) fn neighbours(&self) -> impl Iterator<Item = (usize, u32)> {
        self.common
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, common)| *common > 0)
    }

    /// The repeats that cannot be extended without losing one of their places: maximal intervals of suffixes with a
    /// common prefix whose preceding symbols are not all equal. `before` returns the symbol before a place, `None` if
    /// there is none to compare.
    pub(super) fn maximal_intervals(&self, before: impl Fn(u32) -> Option<u32>) -> Vec<Interval> {
        // The running number of changes of the preceding symbol, from one suffix to the next. If it is constant in an
        // interval, all preceding symbols are equal.
        let mut changes: Vec<u32> = Vec::with_capacity(self.order.len());
        let mut last = None;
        for (index, at) in self.order.iter().enumerate() {
            let symbol = before(*at);
            let changed = index > 0 && (symbol.is_none() || symbol != last);
            changes.push(changes.last().copied().unwrap_or(0) + u32::from(changed));
            last = symbol;
        }
        let mut found = Vec::new();
        // A stack of nested open intervals (M. Abouelhoda, S. Kurtz, E. Ohlebusch, "Replacing suffix trees with
        // enhanced suffix arrays", Journal of Discrete Algorithms 2, 2004).
        let mut open: Vec<(u32, usize)> = vec![(0, 0)];
        for index in 1..=self.order.len() {
            let common = self.common.get(index).copied().unwrap_or(0);
            let mut first = index - 1;
            while let Some(&(longer, began)) = open.last().filter(|(longer, _)| *longer > common) {
                open.pop();
                first = began;
                if changes[began] != changes[index - 1] {
                    found.push(Interval {
                        common: longer,
                        first: began,
                        last: index - 1,
                    });
                }
            }
            if open.last().is_none_or(|(shorter, _)| *shorter < common) {
                open.push((common, first));
            }
        }
        found
    }
}

/// The length of the prefix that each suffix shares with the previous one in the order (T. Kasai and others,
/// "Linear-time longest-common-prefix computation in suffix arrays", CPM 2001).
fn common(symbols: &[u32], order: &[u32], ranks: &[u32]) -> Vec<u32> {
    let mut common = vec![0u32; order.len()];
    let mut length = 0usize;
    for (at, rank) in ranks.iter().enumerate() {
        let rank = *rank as usize;
        let Some(before) = rank.checked_sub(1).map(|rank| order[rank] as usize) else {
            length = 0;
            continue;
        };
        while symbols
            .get(at + length)
            .is_some_and(|symbol| symbols.get(before + length) == Some(symbol))
        {
            length += 1;
        }
        common[rank] = length as u32;
        length = length.saturating_sub(1);
    }
    common
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(text: &str) -> Vec<u32> {
        text.bytes().map(u32::from).chain([1000]).collect()
    }

    #[test]
    fn the_repeats_of_a_word_are_those_that_cannot_grow() {
        let symbols = numbers("xabcyabcwab");
        let suffixes = Suffixes::new(&symbols);
        let before = |at: u32| at.checked_sub(1).map(|at| symbols[at as usize]);
        let mut found: Vec<(u32, usize)> = suffixes
            .maximal_intervals(before)
            .into_iter()
            .map(|interval| (interval.common, interval.last - interval.first + 1))
            .collect();
        found.sort_unstable();
        assert_eq!(found, [(2, 3), (3, 2)], "`ab` three times, `abc` twice");
    }

    proptest! {
        #[test]
        fn suffixes_are_in_order_and_share_what_is_said(
            symbols in prop::collection::vec(0u32..4, 0..200)
        ) {
            let symbols: Vec<u32> = symbols.into_iter().chain([9]).collect();
            let suffixes = Suffixes::new(&symbols);
            let tail = |index: usize| &symbols[suffixes.order[index] as usize..];
            prop_assert_eq!(suffixes.order.len(), symbols.len());
            for index in 1..symbols.len() {
                prop_assert!(tail(index - 1) < tail(index));
                let same = tail(index - 1)
                    .iter()
                    .zip(tail(index))
                    .take_while(|(a, b)| a == b)
                    .count();
                prop_assert_eq!(suffixes.common[index] as usize, same);
            }
        }
    }
}
