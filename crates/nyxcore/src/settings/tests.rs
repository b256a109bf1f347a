//! The precedence of settings, and the messages for invalid settings.

use super::*;

fn load(toml: &str, flags: ServeFlags) -> Result<Settings> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, toml).unwrap();
    let global = GlobalFlags {
        config: Some(file),
        ..GlobalFlags::default()
    };
    Settings::load(&global, flags, DefaultFile::Ignore)
}

#[test]
fn flags_override_the_file_and_the_file_the_defaults() {
    let toml = "listen = '127.0.0.1:1'\nallow_sources = ['local']\n[analysis]\nquiet_period = 5\n";
    let flags = ServeFlags {
        listen: Some("127.0.0.1:2".into()),
        ..ServeFlags::default()
    };
    let settings = load(toml, flags).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(settings.listen, "127.0.0.1:2");
    assert_eq!(settings.quiet_period(), chrono::TimeDelta::seconds(5));
    assert!(settings.allow_sources.local && !settings.allow_sources.private);
    assert_eq!(settings.workers, 2);
}

#[test]
fn bounds_of_connections_are_numbers_from_one() {
    let settings = load("[connections]\nper_address = 7\n", ServeFlags::default());
    let connections = settings
        .unwrap_or_else(|error| panic!("{error}"))
        .connections;
    let limits = ConnectionLimits::default();
    assert_eq!(connections.per_address, 7);
    assert_eq!(connections.max, limits.connections);
    assert_eq!(connections.streams_per_user, limits.streams_per_user);
    for wrong in [
        "max = 0",
        "per_address = -1",
        "streams_per_user = 'many'",
        "other = 1",
    ] {
        let settings = load(&format!("[connections]\n{wrong}\n"), ServeFlags::default());
        assert!(settings.is_err(), "{wrong}");
    }
}

#[test]
fn points_of_a_minute_may_be_none() {
    let points = |toml: &str| {
        let settings = load(toml, ServeFlags::default());
        settings.map(|settings| settings.points_per_minute)
    };
    assert_eq!(points("").ok(), Some(60_000_000));
    assert_eq!(points("points_per_minute = 0\n").ok(), Some(0));
    assert!(points("points_per_minute = -1\n").is_err());
}

#[test]
fn services_to_sign_in_with_are_complete_and_of_different_names() {
    let service = |id: &str| {
        format!(
            "[[oidc]]\nid = '{id}'\nissuer = 'https://login.example.org'\nclient_id = 'nyx'\nclient_secret = 'pw-secret'\n"
        )
    };
    let providers = |toml: &str| {
        let settings = load(toml, ServeFlags::default());
        settings.and_then(|settings| settings.oidc_providers())
    };
    let two = providers(&[service("one"), service("two")].concat());
    let two = two.unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<&str> = two.iter().map(|provider| &*provider.name).collect();
    assert_eq!(names, ["one", "two"]);
    for wrong in [
        [service("one"), service("one")].concat(),
        service("One and two"),
        service("one").replace("https", "http"),
        service("one").replace("'nyx'", "''"),
    ] {
        let error = providers(&wrong).err().map(|error| error.to_string());
        let error = error.unwrap_or_else(|| panic!("{wrong} is read"));
        assert!(!error.contains("pw-secret"), "{error}");
    }
}

#[test]
fn both_kinds_of_sources_in_one_text() {
    let flags = ServeFlags {
        allow_sources: Some("local, private".into()),
        ..ServeFlags::default()
    };
    let allowed = load("", flags).map(|settings| settings.allow_sources);
    let both = AllowedSources {
        local: true,
        private: true,
    };
    assert_eq!(allowed.unwrap_or_else(|error| panic!("{error}")), both);
}

#[test]
fn the_kinds_of_runs_have_limits_in_one_text_or_in_a_table() {
    let both = BTreeMap::from([("code_analysis".to_owned(), 1), ("sync".to_owned(), 2)]);
    for toml in [
        "worker_limits = ' sync=2, code_analysis = 1,'",
        "[worker_limits]\nsync = 2\ncode_analysis = 1",
    ] {
        let settings = load(toml, ServeFlags::default());
        let settings = settings.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(settings.worker_limits, both);
    }
    let none = load("", ServeFlags::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(none.worker_limits, BTreeMap::new());
}

#[test]
fn how_people_sign_in_is_closed_by_default_and_can_be_opened() {
    let closed = load("", ServeFlags::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(closed.sign_up, SignUp::Closed);
    assert_eq!(
        (closed.public_url, closed.trusted_proxies),
        (None, TrustedProxies::default())
    );
    let toml = "sign_up = 'open'\npublic_url = 'https://nyx.example.org'\ntrusted_proxies = ['10.0.0.0/8', '::1']\n";
    let open = load(toml, ServeFlags::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(open.sign_up, SignUp::Open);
    assert_eq!(
        open.public_url.unwrap().as_str(),
        "https://nyx.example.org/"
    );
    assert!(open.trusted_proxies.contains("10.1.2.3".parse().unwrap()));
}

#[test]
fn a_wrong_setting_is_named_and_its_value_is_not() {
    for (toml, named) in [
        ("quiet = 1", "quiet"),
        ("workers = 'pw-secret'", "workers"),
        ("worker_limits = 'sync=pw-secret'", "worker_limits"),
        ("worker_limits = 'pw-secret=1'", "worker_limits"),
        ("worker_limits = 'sync=0'", "worker_limits"),
        ("worker_limits = 'sync'", "worker_limits"),
        ("worker_limits = { sync = -1 }", "worker_limits"),
        ("allow_sources = 'public'", "allow_sources"),
        ("sign_up = 'perhaps'", "sign_up"),
        ("public_url = 'https://u:pw-secret@host'", "public_url"),
        ("public_url = 'https://host/nyx'", "public_url"),
        ("trusted_proxies = ['proxy.internal']", "trusted_proxies"),
        (
            "[analysis]\nquiet_period = 'pw-secret'",
            "analysis.quiet_period",
        ),
        ("master_key = 'pw-secret'", "NYXCORE_MASTER_KEY"),
    ] {
        let error = load(toml, ServeFlags::default())
            .err()
            .map(|error| error.to_string());
        let error = error.unwrap_or_else(|| panic!("{toml} is read"));
        assert!(
            error.contains(named) && !error.contains("pw-secret"),
            "{error}"
        );
    }
}

#[test]
fn a_wrong_flag_is_told_without_our_source() {
    let flags = ServeFlags {
        allow_sources: Some("anywhere".into()),
        ..ServeFlags::default()
    };
    let error = load("", flags).err().map(|error| error.to_string());
    let error = error.unwrap_or_default();
    assert!(
        error.contains("allow_sources") && !error.contains(".rs"),
        "{error}"
    );
}
