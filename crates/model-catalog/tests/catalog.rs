//! Tests of the whole catalogue: the models that the product promises, rules for any day, and a snapshot of one day.

use chrono::NaiveDate;
use nyxcore_model_catalog::{
    Capability, Lifecycle, Mode, ModelCatalog, ModelFilter, Provider, ReplacementSource, catalog,
};
use proptest::prelude::*;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a date of the calendar")
}

fn today() -> NaiveDate {
    day(2026, 11, 21)
}

#[test]
fn the_embedded_file_is_a_catalogue() {
    ModelCatalog::parse(include_str!("../data/models.json")).expect("the embedded file parses");
    assert_eq!(catalog().as_of(), today());
    assert_eq!(catalog().providers(), Provider::ALL);
}

#[test]
fn the_models_that_the_product_promises_are_there() {
    for (id, name, lifecycle, shutdown) in [
        (
            "claude-opus-4-6",
            "Claude Opus 4.6",
            Lifecycle::Active,
            None,
        ),
        (
            "claude-sonnet-4-6",
            "Claude Sonnet 4.6",
            Lifecycle::Active,
            None,
        ),
        (
            "claude-sonnet-4-5",
            "Claude Sonnet 4.5",
            Lifecycle::Retiring,
            Some(day(2026, 11, 30)),
        ),
        (
            "gpt-5",
            "GPT-5",
            Lifecycle::Retiring,
            Some(day(2026, 12, 11)),
        ),
        (
            "gpt-5-mini",
            "GPT-5 Mini",
            Lifecycle::Retiring,
            Some(day(2026, 12, 11)),
        ),
        ("o3", "o3", Lifecycle::Retiring, Some(day(2026, 12, 11))),
        (
            "o4-mini",
            "o4 Mini",
            Lifecycle::ShutDown,
            Some(day(2026, 10, 23)),
        ),
        (
            "gpt-4.1",
            "GPT-4.1",
            Lifecycle::Retiring,
            Some(day(2027, 1, 14)),
        ),
        (
            "gpt-4.1-mini",
            "GPT-4.1 Mini",
            Lifecycle::Retiring,
            Some(day(2027, 1, 14)),
        ),
        (
            "gpt-4.1-nano",
            "GPT-4.1 Nano",
            Lifecycle::ShutDown,
            Some(day(2026, 10, 23)),
        ),
        (
            "gemini-2.5-flash-lite",
            "Gemini 2.5 Flash-Lite",
            Lifecycle::Active,
            None,
        ),
    ] {
        let model = catalog()
            .model(id)
            .unwrap_or_else(|| panic!("{id} is in the catalogue"));
        assert_eq!(
            (
                model.name.as_str(),
                model.lifecycle(today()),
                model.shutdown_date
            ),
            (name, lifecycle, shutdown)
        );
    }
}

#[test]
fn a_model_is_gone_on_its_shutdown_date_and_not_a_day_earlier() {
    let model = catalog()
        .model("claude-sonnet-4-5")
        .expect("in the catalogue");
    assert_eq!(model.lifecycle(day(2026, 11, 29)), Lifecycle::Retiring);
    assert_eq!(model.lifecycle(day(2026, 11, 30)), Lifecycle::ShutDown);
}

#[test]
fn the_dead_are_listed_only_when_asked_for() {
    let listed = |include_shut_down| {
        let filter = ModelFilter {
            provider: Some(Provider::OpenAi),
            include_shut_down,
            ..ModelFilter::default()
        };
        catalog()
            .models(&filter, today())
            .iter()
            .any(|model| model.id == "o4-mini")
    };
    assert!(!listed(false));
    assert!(listed(true));
}

#[test]
fn a_filter_by_capability_gives_those_that_have_it_and_no_other() {
    let filter = ModelFilter {
        capability: Some(Capability::Embedding),
        ..ModelFilter::default()
    };
    let ids: Vec<&str> = catalog()
        .models(&filter, today())
        .iter()
        .map(|model| model.id.as_str())
        .collect();
    assert_eq!(
        ids,
        [
            "gemini-embedding-001",
            "gemini-embedding-2",
            "text-embedding-3-large",
            "text-embedding-3-small"
        ]
    );
}

#[test]
fn the_names_of_the_api_can_be_read_back() {
    for provider in Provider::ALL {
        assert_eq!(Provider::parse(provider.id()), Some(provider));
    }
    for capability in Capability::ALL {
        assert_eq!(Capability::parse(capability.as_str()), Some(capability));
    }
    assert_eq!(Provider::parse("OpenAI"), None);
    assert_eq!(Capability::parse("song"), None);
}

#[test]
fn the_defaults_of_today_are_those_the_product_names() {
    let defaults = catalog().defaults(today());
    let ids: Vec<&str> = defaults
        .by_provider
        .iter()
        .map(|model| model.id.as_str())
        .collect();
    assert_eq!(
        ids,
        ["claude-sonnet-4-6", "gpt-4.1-mini", "gemini-2.5-flash-lite"]
    );
    assert_eq!(
        defaults.fast.map(|model| model.id.as_str()),
        Some("gpt-4.1-mini")
    );
    assert_eq!(
        defaults.default.map(|model| model.id.as_str()),
        Some("claude-sonnet-4-6")
    );
    assert_eq!(
        defaults.embedding.map(|model| model.id.as_str()),
        Some("text-embedding-3-small")
    );
    let said: Vec<&str> = defaults
        .warnings
        .iter()
        .map(|warning| warning.text.as_str())
        .collect();
    assert_eq!(
        said,
        ["GPT-4.1 Mini is shut down on 2027-01-14; consider gpt-5.6-luna"]
    );
}

#[test]
fn a_shut_down_default_yields_to_its_replacement() {
    let defaults = catalog().defaults(day(2027, 1, 14));
    assert_eq!(
        defaults.fast.map(|model| model.id.as_str()),
        Some("gpt-5.6-luna")
    );
    let said: Vec<&str> = defaults
        .warnings
        .iter()
        .map(|warning| warning.text.as_str())
        .collect();
    assert_eq!(
        said,
        ["GPT-4.1 Mini was shut down on 2027-01-14; consider gpt-5.6-luna"]
    );
}

#[test]
fn a_named_replacement_precedes_a_suggested_one() {
    let replacement = |id: &str| {
        let model = catalog().model(id).expect("in the catalogue");
        catalog()
            .replacement_for(model, today())
            .map(|found| (found.model.id.as_str(), found.source))
    };
    assert_eq!(
        replacement("gpt-5"),
        Some(("gpt-6.1-sol", ReplacementSource::Named))
    );
    assert_eq!(
        replacement("claude-sonnet-4-5"),
        Some(("claude-sonnet-4-6", ReplacementSource::Suggested))
    );
    assert_eq!(
        replacement("gemini-embedding-001"),
        Some(("gemini-embedding-2", ReplacementSource::Suggested))
    );
    assert_eq!(
        replacement("claude-sonnet-4-6"),
        None,
        "a model with no known end needs no replacement"
    );
}

#[test]
fn a_chain_of_replacements_is_followed_past_the_dead() {
    // GPT-5 is replaced by gpt-6.1-sol, which gets a shutdown date and a replacement in this test.
    let json = include_str!("../data/models.json");
    let (before, after) = json
        .split_once(r#""id": "gpt-6.1-sol""#)
        .expect("the model is in the file");
    let after = after.replacen(
        r#""shutdown_date": null"#,
        r#""shutdown_date": "2027-06-01", "replacement": "gpt-6-astra""#,
        1,
    );
    let json = format!(r#"{before}"id": "gpt-6.1-sol"{after}"#);
    let catalog = ModelCatalog::parse(&json).expect("still a catalogue");
    let gpt_5 = catalog.model("gpt-5").expect("in the catalogue");
    let on = |date| {
        catalog
            .replacement_for(gpt_5, date)
            .map(|found| found.model.id.as_str())
    };
    assert_eq!(on(day(2027, 5, 31)), Some("gpt-6.1-sol"));
    assert_eq!(on(day(2027, 6, 1)), Some("gpt-6-astra"));
}

#[test]
fn every_chat_model_says_how_long_it_may_answer() {
    for model in catalog().all() {
        assert_eq!(
            model.max_output_tokens.is_some(),
            model.mode == Mode::Chat,
            "{}",
            model.id
        );
        assert_eq!(
            model.dimensions.is_some(),
            model.mode == Mode::Embedding,
            "{}",
            model.id
        );
    }
}

#[test]
fn the_catalogue_on_one_day() {
    let lines: Vec<String> = catalog()
        .all()
        .iter()
        .map(|model| {
            let long = model
                .prices
                .long_context
                .as_ref()
                .map_or_else(String::new, |long| {
                    format!(
                        ", above {} input tokens {}/{}",
                        long.above_input_tokens, long.input, long.output
                    )
                });
            let capabilities: Vec<&str> = model
                .capabilities
                .iter()
                .map(|capability| capability.as_str())
                .collect();
            let warning = catalog()
                .warning(&model.id, today())
                .map_or_else(String::new, |text| format!("\n    {text}"));
            format!(
                "{} | {} | {:?} | {} in, {:?} out | ${}/{}{long} | {}{warning}",
                model.id,
                model.name,
                model.lifecycle(today()),
                model.context_window,
                model.max_output_tokens,
                model.prices.input,
                model.prices.output,
                capabilities.join(" "),
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// Days from long before the first shutdown in the data to long after the last.
fn any_day() -> impl Strategy<Value = NaiveDate> {
    (0_u64..4000).prop_map(|days| day(2024, 1, 1) + chrono::Days::new(days))
}

proptest! {
    #[test]
    fn no_default_is_ever_a_dead_model(on in any_day()) {
        let defaults = catalog().defaults(on);
        let places = [defaults.fast, defaults.default, defaults.embedding];
        for model in defaults.by_provider.iter().copied().chain(places.into_iter().flatten()) {
            prop_assert_ne!(model.lifecycle(on), Lifecycle::ShutDown, "{}", model.id);
        }
        prop_assert!(defaults.by_provider.len() == 3 && places.iter().all(Option::is_some), "no place is empty");
    }

    #[test]
    fn a_replacement_always_answers_and_does_the_same_job(on in any_day()) {
        for model in catalog().all() {
            let replacement = catalog().replacement_for(model, on);
            prop_assert_eq!(replacement.is_some(), model.shutdown_date.is_some(), "{}", model.id);
            if let Some(replacement) = replacement {
                prop_assert_ne!(replacement.model.lifecycle(on), Lifecycle::ShutDown);
                prop_assert_ne!(&replacement.model.id, &model.id);
                prop_assert_eq!(replacement.model.provider, model.provider);
                prop_assert_eq!(replacement.model.mode, model.mode);
            }
        }
    }

    #[test]
    fn a_life_only_moves_forward(a in any_day(), b in any_day()) {
        let (earlier, later) = (a.min(b), a.max(b));
        for model in catalog().all() {
            prop_assert!(model.lifecycle(earlier) <= model.lifecycle(later), "{}", model.id);
        }
    }
}
