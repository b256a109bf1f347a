//! The costs of calls, in whole nano-dollars.
//!
//! Prices and sums are integers, so that the ledger's sum is the budgets' sum to the last digit. The unit is a
//! nano-dollar (10^-9 US dollars): a token of the cheapest models costs a few of them and only a fraction of a
//! micro-dollar, and 64 bits hold nine thousand million dollars.

use serde::{Deserialize, Serialize};

use crate::model::Prices;

/// The number of tokens that a price is for.
const PRICED_TOKENS: i128 = 1_000_000;
/// Nano-dollars of a US dollar.
const PER_USD: f64 = 1e9;

/// An amount in nano-dollars (10^-9 US dollars).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Nanousd(pub i64);

impl Nanousd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The nearest amount to a number of US dollars; `None` for a negative number, for one that is not finite, and for
    /// more than 64 bits hold.
    #[must_use]
    pub fn from_usd(usd: f64) -> Option<Self> {
        let nano = (usd * PER_USD).round();
        // 2^63 as a float: smaller numbers fit.
        let fits = (0.0..9_223_372_036_854_775_808.0).contains(&nano);
        fits.then_some(Self(nano as i64))
    }

    /// US dollars, to be shown.
    #[must_use]
    pub fn usd(self) -> f64 {
        self.0 as f64 / PER_USD
    }

    /// The sum, capped at the largest amount.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::fmt::Display for Nanousd {
    /// US dollars with all digits, at least two behind the point: `$0.0123`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (
            self.0.unsigned_abs() / 1_000_000_000,
            self.0.unsigned_abs() % 1_000_000_000,
        );
        let digits = format!("{rest:09}");
        let kept = digits.trim_end_matches('0').len().max(2);
        write!(f, "{sign}${whole}.{}", &digits[..kept])
    }
}

/// Tokens of a call by how they are priced. Input includes what was read from and written to the vendor's cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenCounts {
    /// All input.
    pub input: u64,
    /// Input that was read from the cache.
    pub cache_read: u64,
    /// Input that was written to the cache for five minutes.
    pub cache_write: u64,
    /// Input that was written to the cache for an hour.
    pub cache_write_long: u64,
    /// All output, reasoning included.
    pub output: u64,
}

/// The prices of a model: nano-dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PriceList {
    /// Input that was not read from a cache.
    pub input: i64,
    /// Output.
    pub output: i64,
    /// Input read from the cache; the price of input where the vendor has no other.
    pub cache_read: i64,
    /// Input written to the cache for five minutes; the price of input where the vendor has no other.
    pub cache_write: i64,
    /// The threshold of a long request in input tokens, and its prices of input and of output.
    pub long: Option<(u64, i64, i64)>,
}

impl PriceList {
    /// What these tokens cost, rounded up to a whole nano-dollar.
    #[must_use]
    pub fn cost(&self, tokens: &TokenCounts) -> Nanousd {
        let (input, output) = self.prices_for(tokens.input);
        // The vendor's cache prices are parts of its price of input, so they rise with it.
        let scaled = |price: i64| match self.input {
            0 => i128::from(price),
            base => i128::from(price).saturating_mul(i128::from(input)) / i128::from(base),
        };
        let cached = [
            (tokens.cache_read, scaled(self.cache_read)),
            (tokens.cache_write, scaled(self.cache_write)),
            (tokens.cache_write_long, self.cache_write_long(input)),
        ];
        let of_cache: u64 = cached
            .iter()
            .fold(0, |sum, (count, _)| sum.saturating_add(*count));
        let plain = tokens.input.saturating_sub(of_cache);
        let priced = cached.iter().copied().chain([
            (plain, i128::from(input)),
            (tokens.output, i128::from(output)),
        ]);
        // Numbers of tokens that no model has are capped at the largest amount.
        let sum = priced.fold(0_i128, |sum, (count, price)| {
            sum.saturating_add(i128::from(count).saturating_mul(price))
        });
        let whole = sum
            .saturating_add(PRICED_TOKENS - 1)
            .div_euclid(PRICED_TOKENS);
        Nanousd(i64::try_from(whole).unwrap_or(i64::MAX))
    }

    /// The highest cost of a call with that much input and output, whatever the vendor's cache prices are.
    #[must_use]
    pub fn bound(&self, input: u64, output: u64) -> Nanousd {
        let as_written = |cache_write, cache_write_long| {
            self.cost(&TokenCounts {
                input,
                output,
                cache_write,
                cache_write_long,
                ..TokenCounts::default()
            })
        };
        let plain = as_written(0, 0);
        // Cache writes can only be the highest cost where the vendor charges more for writing than for plain input.
        if self.cache_write <= self.input {
            return plain;
        }
        plain.max(as_written(input, 0)).max(as_written(0, input))
    }

    fn prices_for(&self, input: u64) -> (i64, i64) {
        match self.long {
            Some((above, long_input, long_output)) if input > above => (long_input, long_output),
            _ => (self.input, self.output),
        }
    }

    /// Anthropic, the one vendor with two lifetimes, prices a write for an hour at twice the input.
    fn cache_write_long(&self, input: i64) -> i128 {
        2 * i128::from(input)
    }
}

impl From<&Prices> for PriceList {
    /// The prices of the data file are not negative, which was checked when it was parsed.
    fn from(prices: &Prices) -> Self {
        let nano = |usd: f64| Nanousd::from_usd(usd).unwrap_or_default().0;
        let input = nano(prices.input);
        Self {
            input,
            output: nano(prices.output),
            cache_read: prices.cache_read.map_or(input, nano),
            cache_write: prices.cache_write.map_or(input, nano),
            long: prices
                .long_context
                .as_ref()
                .map(|long| (long.above_input_tokens, nano(long.input), nano(long.output))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prices() -> PriceList {
        PriceList {
            input: 3_000_000_000,
            output: 15_000_000_000,
            cache_read: 300_000_000,
            cache_write: 3_750_000_000,
            long: Some((200_000, 6_000_000_000, 22_500_000_000)),
        }
    }

    #[test]
    fn each_kind_of_token_has_its_price() {
        let tokens = TokenCounts {
            input: 100,
            cache_read: 40,
            cache_write: 20,
            cache_write_long: 10,
            output: 7,
        };
        // 30 plain at 3, 40 at 0.3, 20 at 3.75, 10 at 6, 7 at 15, in micro-dollars.
        let micro = 90.0 + 12.0 + 75.0 + 60.0 + 105.0;
        assert_eq!(prices().cost(&tokens).0, (micro * 1_000.0) as i64);
    }

    #[test]
    fn a_long_request_costs_more_a_token() {
        let of = |input| {
            prices().cost(&TokenCounts {
                input,
                ..TokenCounts::default()
            })
        };
        assert_eq!(of(200_000), Nanousd(600_000_000));
        assert_eq!(of(200_001), Nanousd(1_200_006_000));
    }

    #[test]
    fn a_part_of_a_nanodollar_is_rounded_up() {
        let cheap = PriceList {
            input: 1,
            ..PriceList::default()
        };
        let one = TokenCounts {
            input: 1,
            ..TokenCounts::default()
        };
        assert_eq!(cheap.cost(&one), Nanousd(1));
    }

    #[test]
    fn an_amount_is_shown_in_dollars() {
        for (nano, text) in [
            (0, "$0.00"),
            (1, "$0.000000001"),
            (12_300_000, "$0.0123"),
            (1_500_000_000, "$1.50"),
            (-20_000_000, "-$0.02"),
        ] {
            assert_eq!(Nanousd(nano).to_string(), text);
        }
        assert_eq!(Nanousd::from_usd(0.02), Some(Nanousd(20_000_000)));
        for bad in [-0.01, f64::NAN, f64::INFINITY, 1e10] {
            assert_eq!(Nanousd::from_usd(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_call_costs_more_than_its_bound(
            parts in proptest::array::uniform4(0_u64..300_000), output in 0_u64..200_000,
        ) {
            let [plain, cache_read, cache_write, cache_write_long] = parts;
            let input = plain + cache_read + cache_write + cache_write_long;
            let tokens = TokenCounts { input, cache_read, cache_write, cache_write_long, output };
            prop_assert!(prices().cost(&tokens) <= prices().bound(input, output));
        }

        #[test]
        fn the_largest_numbers_do_not_overflow(input: u64, output: u64, price: i64) {
            let prices = PriceList { input: price.saturating_abs(), output: i64::MAX, ..PriceList::default() };
            let cost = prices.cost(&TokenCounts { input, output, ..TokenCounts::default() });
            prop_assert!(cost >= Nanousd::ZERO);
        }
    }
}
