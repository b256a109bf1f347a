//! The budget of a tenant for requests.

use chrono::{DateTime, TimeDelta, Utc};
use nyxcore_graphql::rate::RateLimiter;
use nyxcore_tenancy::TenantId;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000_000 + seconds)
}

fn tenant(number: u128) -> TenantId {
    TenantId(uuid::Uuid::from_u128(number))
}

fn remaining(limiter: &RateLimiter, seconds: i64) -> u64 {
    let standing = limiter.standing(tenant(1), at(seconds));
    standing.unwrap().remaining
}

#[test]
fn a_budget_is_used_and_grows_back_evenly() {
    let limiter = RateLimiter::new(600);
    assert_eq!(remaining(&limiter, 0), 600);
    assert_eq!(limiter.charge(tenant(1), 600, at(0)), Ok(()));
    assert_eq!(remaining(&limiter, 0), 0);
    assert_eq!(limiter.charge(tenant(1), 100, at(0)), Err(10));
    assert_eq!(limiter.charge(tenant(1), 1, at(0)), Err(1));
    assert_eq!(remaining(&limiter, 30), 300);
    assert_eq!(limiter.charge(tenant(1), 300, at(30)), Ok(()));
    assert_eq!(limiter.charge(tenant(1), 1, at(30)), Err(1));
    assert_eq!(remaining(&limiter, 90), 600);
    // Another tenant has a budget of its own.
    assert_eq!(limiter.charge(tenant(2), 600, at(30)), Ok(()));
}

#[test]
fn what_costs_more_than_a_budget_takes_all_of_it() {
    let limiter = RateLimiter::new(100);
    assert_eq!(limiter.charge(tenant(1), 5_000, at(0)), Ok(()));
    assert_eq!(limiter.charge(tenant(1), 5_000, at(30)), Err(30));
    assert_eq!(limiter.charge(tenant(1), 5_000, at(60)), Ok(()));
}

#[test]
fn a_clock_that_is_set_back_blocks_for_a_window_at_most() {
    let limiter = RateLimiter::new(100);
    assert_eq!(limiter.charge(tenant(1), 100, at(100_000)), Ok(()));
    assert_eq!(limiter.charge(tenant(1), 100, at(0)), Err(60));
    assert_eq!(limiter.charge(tenant(1), 100, at(60)), Ok(()));
}

#[test]
fn no_limit_counts_nothing() {
    let limiter = RateLimiter::new(0);
    assert_eq!(limiter.charge(tenant(1), u64::MAX, at(0)), Ok(()));
    assert_eq!(limiter.standing(tenant(1), at(0)), None);
}

#[test]
fn the_largest_limit_is_counted_without_overflow() {
    let limiter = RateLimiter::new(u64::MAX);
    assert_eq!(limiter.charge(tenant(1), u64::MAX, at(0)), Ok(()));
    assert_eq!(remaining(&limiter, 0), 0);
}
