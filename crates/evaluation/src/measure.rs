//! The measures of a ranking: Acc@k, MRR and nDCG@10.

use serde::Serialize;

/// The number of places that nDCG uses.
const DEPTH: usize = 10;

/// The places of the right files in one ranking, from 1, best first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Ranks {
    /// The places of right files.
    pub places: Vec<usize>,
    /// How many right files there are.
    pub wanted: usize,
}

impl Ranks {
    /// Finds the places of the answer's files in a ranking.
    #[must_use]
    pub fn of(ranking: &[String], answer: &[String]) -> Self {
        let places = (1..).zip(ranking).filter(|(_, path)| answer.contains(path));
        Self {
            places: places.map(|(place, _)| place).collect(),
            wanted: answer.len(),
        }
    }

    fn within(&self, depth: usize) -> f64 {
        let first = self.places.first();
        f64::from(u8::from(first.is_some_and(|place| *place <= depth)))
    }

    fn reciprocal(&self) -> f64 {
        self.places.first().map_or(0.0, |place| 1.0 / real(*place))
    }

    fn gain(&self) -> f64 {
        let discount = |place: usize| 1.0 / (real(place) + 1.0).log2();
        let best: f64 = (1..=self.wanted.min(DEPTH)).map(discount).sum();
        let gained: f64 = self
            .places
            .iter()
            .filter(|place| **place <= DEPTH)
            .map(|place| discount(*place))
            .sum();
        if best > 0.0 { gained / best } else { 0.0 }
    }
}

/// The means over all questions, each from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Measure {
    /// The share of questions where a right file is the first.
    pub acc_1: f64,
    /// The share of questions where a right file is among the first five.
    pub acc_5: f64,
    /// The share of questions where a right file is among the first ten.
    pub acc_10: f64,
    /// The mean of 1 divided by the place of the first right file.
    pub mrr: f64,
    /// The discounted gain of the first ten places, divided by the highest possible one.
    pub ndcg_10: f64,
}

impl Measure {
    /// The means over rankings; 0 without any.
    #[must_use]
    pub fn of<'a>(rankings: impl Iterator<Item = &'a Ranks> + Clone) -> Self {
        let count = real(rankings.clone().count()).max(1.0);
        let mean = |value: &dyn Fn(&Ranks) -> f64| rankings.clone().map(value).sum::<f64>() / count;
        Self {
            acc_1: mean(&|ranks| ranks.within(1)),
            acc_5: mean(&|ranks| ranks.within(5)),
            acc_10: mean(&|ranks| ranks.within(10)),
            mrr: mean(&Ranks::reciprocal),
            ndcg_10: mean(&Ranks::gain),
        }
    }
}

fn real(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranks(ranking: &[&str], answer: &[&str]) -> Ranks {
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        Ranks::of(&owned(ranking), &owned(answer))
    }

    #[test]
    fn a_perfect_ranking_measures_one() {
        let measure = Measure::of([ranks(&["a", "b", "c"], &["a", "b"])].iter());
        assert_eq!(
            measure,
            Measure {
                acc_1: 1.0,
                acc_5: 1.0,
                acc_10: 1.0,
                mrr: 1.0,
                ndcg_10: 1.0
            }
        );
    }

    #[test]
    fn a_later_place_measures_less() {
        let all = [ranks(&["x", "a"], &["a"]), ranks(&["x"], &["a"])];
        let measure = Measure::of(all.iter());
        assert_eq!(
            (measure.acc_1, measure.acc_5, measure.mrr),
            (0.0, 0.5, 0.25)
        );
        assert!((measure.ndcg_10 - 0.5 / 3_f64.log2()).abs() < 1e-12);
        assert_eq!(Measure::of([].iter()), Measure::default());
    }
}
