//! The summary for people: its content, its width, and no control sequences from the input.

use nyxcore_code_engine::render::{project_table, report_table};
use nyxcore_code_engine::tree::TreeReport;

use crate::full_report;

#[test]
fn a_summary_of_everything_at_80_columns() {
    insta::assert_snapshot!(report_table(&full_report::report(), 80, false));
}

#[test]
fn a_summary_of_everything_at_120_columns() {
    insta::assert_snapshot!(report_table(&full_report::report(), 120, false));
}

/// The report with longer and unusual words in it.
fn strange(word: &str) -> TreeReport {
    let mut report = full_report::report();
    let project = &mut report.project;
    let longer = |text: &mut String| *text = format!("{word}{text}");
    project
        .hotspots
        .iter_mut()
        .for_each(|one| longer(&mut one.path));
    project
        .co_changes
        .iter_mut()
        .for_each(|one| one.paths.iter_mut().for_each(longer));
    project.ownership.iter_mut().for_each(|one| {
        longer(&mut one.folder);
        longer(&mut one.main_author);
    });
    project.commands.iter_mut().for_each(|one| {
        longer(&mut one.command);
        longer(&mut one.path);
    });
    project
        .stack
        .iter_mut()
        .for_each(|one| longer(&mut one.name));
    project.patterns.iter_mut().for_each(|one| {
        longer(&mut one.title);
        one.scope.iter_mut().for_each(longer);
        one.exemplars
            .iter_mut()
            .for_each(|place| longer(&mut place.path));
    });
    project
        .rules
        .rules
        .iter_mut()
        .for_each(|one| longer(&mut one.title));
    project
        .rules
        .errors
        .iter_mut()
        .for_each(|one| longer(&mut one.reason));
    project
        .imports
        .layers
        .iter_mut()
        .for_each(|one| one.folders.iter_mut().for_each(longer));
    let steps = project
        .imports
        .cycles
        .iter_mut()
        .flat_map(|cycle| &mut cycle.path);
    steps.for_each(|step| longer(&mut step.file));
    let places = project
        .duplicates
        .iter_mut()
        .flat_map(|group| &mut group.places);
    places.for_each(|place| longer(&mut place.path));
    project
        .dead_code
        .iter_mut()
        .for_each(|one| longer(&mut one.name));
    project.map.iter_mut().for_each(|one| longer(&mut one.name));
    report
        .complex_functions
        .iter_mut()
        .for_each(|one| longer(&mut one.path));
    report
        .skipped
        .iter_mut()
        .for_each(|one| longer(&mut one.rule));
    report
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let word = "a_word_that_is_much_longer_than_any_line_of_a_terminal/".repeat(3);
    for report in [full_report::report(), strange(&word)] {
        for width in [40, 64, 80, 100, 120] {
            let text = report_table(&report, width, false);
            let wide = text.lines().find(|line| line.chars().count() > width);
            assert_eq!(wide, None, "{width}");
        }
    }
}

#[test]
fn nothing_in_a_repository_steers_the_terminal() {
    let report = strange("\u{1b}[2J\u{1b}]0;x\u{7}\r\u{202e}\u{9b}1m");
    let text = report_table(&report, 100, false);
    let steers = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
    assert!(!text.contains(steers), "{text:?}");
    // With colours, the only escapes are colour codes.
    let coloured = report_table(&report, 100, true);
    let escapes = coloured.split('\u{1b}').skip(1);
    assert!(escapes.clone().count() > 20);
    for escape in escapes {
        let code = escape.split_once('m').map(|(code, _)| code);
        let is_colour = |code: &str| {
            code.strip_prefix('[')
                .is_some_and(|code| code.bytes().all(|b| b.is_ascii_digit() || b == b';'))
        };
        assert!(code.is_some_and(is_colour), "{escape:?}");
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let report = full_report::report();
    let mut plain = String::new();
    let coloured = report_table(&report, 80, true);
    for (number, part) in coloured.split('\u{1b}').enumerate() {
        let text = if number == 0 {
            Some(part)
        } else {
            part.split_once('m').map(|(_, text)| text)
        };
        plain.push_str(text.expect("a colour ends"));
    }
    assert_eq!(plain, report_table(&report, 80, false));
}

#[test]
fn what_was_not_found_has_no_heading() {
    let text = project_table(&Default::default(), 80, false);
    assert_eq!(text, "0 files · 0 lines of code · 0 functions\n");
}
