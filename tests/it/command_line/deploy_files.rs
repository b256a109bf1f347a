//! The files in `deploy/`, parsed in their own formats: each has the properties that operators rely on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// The maximum shutdown time of a server: 10 s for requests, 10 s for the ledger of model calls.
const END_SECONDS: u64 = 20;

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../deploy")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn seconds(value: &Value) -> u64 {
    let text = value.as_str().unwrap();
    text.strip_suffix('s').unwrap().parse().unwrap()
}

/// The variables that the program knows, as its settings list them.
fn variables() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/nyxcore/src/settings.rs");
    let settings = fs::read_to_string(path).unwrap();
    let (_, table) = settings.split_once("const VARIABLES").unwrap();
    let (table, _) = table.split_once("];").unwrap();
    let names = table
        .lines()
        .filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next());
    let mut names: Vec<String> = names
        .map(|name| format!("NYXCORE_{}", name.to_uppercase()))
        .collect();
    // The variables of `setup postgres`.
    names.extend(
        ["ADMIN_URL", "OWNER_PASSWORD", "APP_PASSWORD"].map(|name| format!("NYXCORE_{name}")),
    );
    assert!(names.len() > 20, "{names:?}");
    names
}

/// All names `NYXCORE_...` in a text, except for build arguments.
fn variables_of(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_uppercase() || c == '_';
    let parts = text.match_indices("NYXCORE_").map(|(at, _)| {
        let rest = &text[at..];
        rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())].to_owned()
    });
    parts.filter(|name| name != "NYXCORE_COMMIT").collect()
}

#[test]
fn every_variable_in_a_deploy_file_is_a_setting() {
    let known = variables();
    for name in [
        "Dockerfile",
        "compose.yaml",
        "nyxcore.service",
        "kubernetes/nyxcore.yaml",
    ] {
        let found = variables_of(&file(name));
        assert!(!found.is_empty(), "{name}");
        for variable in found {
            assert!(
                known.contains(&variable),
                "{name}: {variable} is no setting"
            );
        }
    }
}

#[test]
fn the_compose_file_waits_for_the_database_and_drains() {
    let compose = yaml(&file("compose.yaml"));
    let services = &compose["services"];
    let server = &services["nyxcore"];
    assert_eq!(
        services["setup"]["depends_on"]["database"]["condition"],
        "service_healthy"
    );
    assert_eq!(
        server["depends_on"]["setup"]["condition"],
        "service_completed_successfully"
    );
    assert!(services["database"]["healthcheck"]["test"].is_array());
    assert!(
        server["healthcheck"]["test"]
            .to_string()
            .contains("/readyz")
    );
    assert!(seconds(&server["stop_grace_period"]) > END_SECONDS);
    for published in server["ports"].as_array().unwrap() {
        let published = published.as_str().unwrap();
        assert!(
            published.starts_with("127.0.0.1:"),
            "{published} is open to a network"
        );
    }
    for service in ["nyxcore", "setup"] {
        let service = &services[service];
        assert_eq!(service["read_only"], true);
        assert_eq!(service["cap_drop"][0], "ALL");
        assert!(service["user"].as_str().unwrap().starts_with("10001"));
        assert_eq!(service["security_opt"][0], "no-new-privileges:true");
    }
    // No secret is in the file: each is a required environment variable.
    for (service, of_service) in services.as_object().unwrap() {
        for (name, value) in of_service["environment"].as_object().unwrap() {
            let is_secret = ["PASSWORD", "KEY", "URL"]
                .iter()
                .any(|word| name.ends_with(word));
            let is_set = value.as_str().unwrap().contains(":?") || name == "NYXCORE_PUBLIC_URL";
            assert!(!is_secret || is_set, "{service}: {name}");
        }
    }
    let volumes: Vec<&String> = compose["volumes"].as_object().unwrap().keys().collect();
    for service in ["database", "nyxcore"] {
        for mounted in services[service]["volumes"].as_array().unwrap() {
            let name = mounted.as_str().unwrap().split(':').next().unwrap();
            assert!(
                volumes.iter().any(|volume| *volume == name),
                "{name} is no volume"
            );
        }
    }
}

#[test]
fn the_image_runs_as_a_user_without_rights() {
    let text = file("Dockerfile");
    let stages: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("FROM "))
        .collect();
    assert_eq!(stages.len(), 2, "{stages:?}");
    let (_, last) = text.rsplit_once("\nFROM ").unwrap();
    let instruction = |name: &str| last.lines().find_map(|line| line.strip_prefix(name));
    assert_eq!(instruction("USER "), Some("10001:10001"));
    assert_eq!(instruction("STOPSIGNAL "), Some("SIGTERM"));
    assert_eq!(instruction("ENTRYPOINT "), Some("[\"nyxcore\"]"));
    // The programs that nyxcore runs.
    for program in ["git", "openssh-client", "postgresql-client"] {
        assert!(last.contains(program), "{program} is missing");
    }
    assert!(
        !last.contains("COPY . "),
        "the sources are not in the image"
    );
    let toolchain =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml")).unwrap();
    let manifest: toml::Table = toolchain.parse().unwrap();
    let version = manifest["workspace"]["package"]["rust-version"]
        .as_str()
        .unwrap();
    assert!(
        stages[0].starts_with(&format!("FROM rust:{version}-")),
        "{}",
        stages[0]
    );
}

/// The sections of a unit: each key with all its values.
fn unit(text: &str) -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    let mut sections: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    let mut section = String::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name.to_owned();
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{line}"));
        assert!(
            !section.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric()),
            "{line}"
        );
        let keys = sections.entry(section.clone()).or_default();
        keys.entry(key.to_owned())
            .or_default()
            .push(value.to_owned());
    }
    sections
}

#[test]
fn the_systemd_unit_is_hardened_and_drains() {
    let unit = unit(&file("nyxcore.service"));
    let sections: Vec<&str> = unit.keys().map(String::as_str).collect();
    assert_eq!(sections, ["Install", "Service", "Unit"]);
    let service = &unit["Service"];
    for (key, value) in [
        ("DynamicUser", "yes"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("RestrictNamespaces", "yes"),
        ("UMask", "0077"),
        ("StateDirectory", "nyxcore"),
        ("KillSignal", "SIGTERM"),
        ("Restart", "on-failure"),
    ] {
        assert_eq!(service[key], [value], "{key}");
    }
    let stop: u64 = service["TimeoutStopSec"][0].parse().unwrap();
    assert!(stop > END_SECONDS);
    assert_eq!(service["ExecStart"], ["/usr/local/bin/nyxcore serve"]);
    assert_eq!(unit["Install"]["WantedBy"], ["multi-user.target"]);
}

#[test]
fn the_kubernetes_manifest_probes_drains_and_has_no_rights() {
    let text = file("kubernetes/nyxcore.yaml");
    let documents: Vec<Value> = text.split("\n---\n").map(yaml).collect();
    let kinds: Vec<&str> = documents
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["Deployment", "Service", "PodDisruptionBudget"]);
    let labels = &documents[0]["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&documents[0]["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(&documents[1]["spec"]["selector"], labels);
    assert_eq!(&documents[2]["spec"]["selector"]["matchLabels"], labels);
    let pod = &documents[0]["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(
        pod["securityContext"]["seccompProfile"]["type"],
        "RuntimeDefault"
    );
    assert_eq!(pod["automountServiceAccountToken"], false);
    let container = &pod["containers"][0];
    let rights = &container["securityContext"];
    assert_eq!(rights["readOnlyRootFilesystem"], true);
    assert_eq!(rights["allowPrivilegeEscalation"], false);
    assert_eq!(rights["capabilities"]["drop"][0], "ALL");
    for (probe, path) in [
        ("startupProbe", "/healthz"),
        ("livenessProbe", "/healthz"),
        ("readinessProbe", "/readyz"),
    ] {
        assert_eq!(container[probe]["httpGet"]["path"], path);
        assert_eq!(container[probe]["httpGet"]["port"], "http");
    }
    let pause = container["lifecycle"]["preStop"]["exec"]["command"][1]
        .as_str()
        .unwrap();
    let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert!(grace > END_SECONDS + pause.parse::<u64>().unwrap());
    let mounted: Vec<&str> = container["volumeMounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    let volumes: Vec<&str> = pod["volumes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(mounted, volumes);
    // A Service that exposes the metrics port would make the metrics reachable beside the API.
    let published = documents[1]["spec"]["ports"].as_array().unwrap();
    assert!(published.iter().all(|port| port["targetPort"] == "http"));
    // Secrets are references to a Secret.
    for variable in container["env"].as_array().unwrap() {
        let name = variable["name"].as_str().unwrap();
        assert!(
            !["KEY", "TOKEN", "PASSWORD", "DATABASE_URL"]
                .iter()
                .any(|word| name.ends_with(word)),
            "{name}"
        );
    }
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(container["image"], format!("nyxcore:{version}"));
}
