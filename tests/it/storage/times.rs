//! Both databases compare times as times, for any time that a client sends.

use chrono::{DateTime, Datelike, SubsecRound, TimeDelta, Utc};
use nyxcore_projects::{NewProject, project_create};
use nyxcore_tenancy::PageRequest;
use nyxcore_tenancy::audit::{AuditFilter, audit_count, audit_list};
use nyxcore_tests::{TestDatabase, on_both_databases};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::support::{store_at_rest, tenant};

/// Any representable time; every second one is close to `around`.
fn times(around: DateTime<Utc>) -> impl Strategy<Value = DateTime<Utc>> {
    let (first, last) = (
        DateTime::<Utc>::MIN_UTC.timestamp(),
        DateTime::<Utc>::MAX_UTC.timestamp(),
    );
    let anywhere = (first..last, 0..1_000_000_000u32)
        .prop_filter_map("a time", |(seconds, nanos)| {
            DateTime::from_timestamp(seconds, nanos)
        });
    let near = (-3_000_000_000i64..6_000_000_000)
        .prop_map(move |nanos| around + TimeDelta::nanoseconds(nanos));
    proptest::prop_oneof![anywhere, near]
}

on_both_databases! {
    async fn a_time_filter_finds_what_a_comparison_of_times_does(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let start = store.env().now();
        let (acme, _) = tenant(&store, "acme").await;
        for (number, micros) in [123, 400, 500_000, 76_544, 1_000_000].into_iter().enumerate() {
            let scoped = store.write_as_operator(acme.id).await.unwrap();
            project_create(&scoped, NewProject { name: format!("P {number}"), ..NewProject::default() }).await.unwrap();
            scoped.commit().await.unwrap();
            clock.advance(TimeDelta::microseconds(micros));
        }
        let scoped = store.read(acme.id).await.unwrap();
        let entries = audit_list(&scoped, &AuditFilter::default(), &PageRequest::first(50)).await.unwrap();
        let entries: Vec<DateTime<Utc>> = entries.items.iter().map(|(_, entry)| entry.at).collect();
        assert!(entries.len() >= 6, "{entries:?}");
        let mut runner = TestRunner::deterministic();
        let strategy = times(start);
        let sampled = (0..300).map(|_| strategy.new_tree(&mut runner).unwrap().current());
        let named = ["9999-12-31T23:59:59-14:00", "-4713-01-01T00:00:00Z", "0000-01-01T00:00:00+14:00", "+10000-01-01T00:00:00Z"];
        let named = named.map(|time| time.parse::<DateTime<Utc>>().unwrap());
        for time in sampled.collect::<Vec<_>>().into_iter().chain(named) {
            let bound = time.trunc_subsecs(6);
            let from = AuditFilter { from: Some(time), ..AuditFilter::default() };
            let to = AuditFilter { to: Some(time), ..AuditFilter::default() };
            if !(1..=9999).contains(&time.year()) {
                for filter in [&from, &to] {
                    let refused = audit_count(&scoped, filter).await.map_err(|error| error.code());
                    assert_eq!(refused, Err("INVALID_INPUT"), "{time}");
                }
                continue;
            }
            let expected = entries.iter().filter(|at| **at >= bound).count() as u64;
            assert_eq!(audit_count(&scoped, &from).await.unwrap(), expected, "from {time}");
            assert_eq!(audit_count(&scoped, &to).await.unwrap(), entries.len() as u64 - expected, "to {time}");
            let listed = audit_list(&scoped, &from, &PageRequest::first(50)).await.unwrap();
            assert_eq!(listed.items.len() as u64, expected, "from {time}");
        }
    }
}
