//! The flow of the README, executed as it is written: a shell, curl, and the program.

use std::fs;
use std::path::Path;
use std::process::Command;

use nyxcore_tests::{TestDatabase, nyxcore_command, run_on_sqlite};
use serde_json::Value;

use super::{Running, repository, said};

/// The blocks of shell commands below a heading.
fn blocks(heading: &str) -> Vec<String> {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let (_, section) = readme.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

/// A shell that finds the program on its path.
fn shell(db: &TestDatabase, folder: &Path, script: &str) -> Command {
    let nyxcore = nyxcore_command(db).unwrap();
    let bin = Path::new(nyxcore.get_program()).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "what a person types is run as a person would"
    )]
    let mut command = Command::new("/bin/sh");
    command
        .args(["-euc", script])
        .env("PATH", format!("{}:{path}", bin.display()))
        .current_dir(folder);
    command
}

#[test]
fn the_flow_of_the_readme_enriches_a_note() {
    run_on_sqlite(|db| async move {
        let blocks = blocks("Use it");
        let serve = "exec nyxcore serve --listen 127.0.0.1:0";
        let kept = format!("printf %s \"$NYXCORE_TOKEN\" >token; {serve}");
        let script = blocks[0].replace("nyxcore serve", &kept);
        let running = Running::start(&mut shell(&db, db.folder(), &script), false);
        running.after("created the tenant acme");
        let address = running.after("nyxcore listens at ");
        let token = fs::read_to_string(db.folder().join("token")).unwrap();

        // Twelve files of ordinary code, written without the note in mind.
        let repository = repository(&db, "atlas");
        let script = blocks[1].replace("http://127.0.0.1:4600", address.trim_end_matches('/'));
        let flow = |token: &str| {
            let mut command = shell(&db, repository.path(), &script);
            said(command.env("NYXCORE_TOKEN", token))
        };
        let done = flow(&token);
        assert!(done.status.success(), "{}{}", done.out, done.err);
        let answer = done.out.lines().last().unwrap();
        let answer: Value = serde_json::from_str(answer).unwrap();
        let enrichment = &answer["data"]["node"];
        let markdown = enrichment["markdown"].as_str().unwrap_or_default();
        assert!(markdown.contains("12 of 12 cases"), "{answer}");
        let cited = &enrichment["citations"];
        let habit = "Functions and methods are snake_case";
        assert!(cited.to_string().contains(habit), "{answer}");

        let refused = flow("nyx_nobodys");
        assert!(!refused.status.success() && refused.out.is_empty());
        assert!(refused.err.contains("UNAUTHENTICATED"), "{}", refused.err);
    });
}
