//! Renders the statistics of the history.

use super::super::project::Hotspot;
use super::super::project::history::{CoChange, HistoryWindow, Ownership, is_told};
use super::page::{Page, Paint, bar, counted, padded, path_fit, percent, shown, thousands, widest};

const HOTSPOTS_SHOWN: usize = 5;
/// A file that was changed less often in the window is not changed often, however complex it is.
const OFTEN: u32 = 3;
/// A file of less cyclomatic complexity than McCabe allows one function ("A complexity measure", 1976) is not complex,
/// however often it is changed.
const COMPLEX: u32 = 10;
/// A folder with a smaller share of the commits says little of who knows the project.
const FOLDER_SHARE: f64 = 0.05;
const PAIRS_SHOWN: usize = 4;
const FOLDERS_SHOWN: usize = 6;

/// The dates of the window behind other words of a heading.
fn within(words: &str, window: Option<&HistoryWindow>) -> String {
    let dates = window.map(HistoryWindow::dates).unwrap_or_default();
    let parts: Vec<&str> = [words, &dates]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(", ")
}

pub(super) fn hotspots(page: &mut Page, hotspots: &[Hotspot], window: Option<&HistoryWindow>) {
    let is_hot = |one: &&Hotspot| one.commits >= OFTEN && one.complexity >= COMPLEX;
    let hotspots: Vec<&Hotspot> = hotspots.iter().filter(is_hot).collect();
    if hotspots.is_empty() {
        return;
    }
    page.heading("Hotspots", &within("changed often and complex", window));
    let top: Vec<_> = hotspots.iter().take(HOTSPOTS_SHOWN).collect();
    let most = page.width().saturating_sub(48).max(20);
    let width = widest(top.iter().map(|one| one.path.as_str()), most);
    for one in top {
        let commits = counted(one.commits, "commit");
        let about = format!("  {commits} · complexity {}", thousands(one.complexity));
        page.line(&[
            ("  ", Paint::Plain),
            (&bar(one.score, 10), Paint::Hot),
            (" ", Paint::Plain),
            (&padded(&path_fit(&one.path, width), width), Paint::Plain),
            (&about, Paint::Faint),
        ]);
    }
    page.gap();
}

pub(super) fn co_changes(page: &mut Page, pairs: &[CoChange], window: Option<&HistoryWindow>) {
    let pairs: Vec<&CoChange> = pairs
        .iter()
        .filter(|pair| is_told(&pair.paths[0], &pair.paths[1]))
        .collect();
    if pairs.is_empty() {
        return;
    }
    page.heading(
        "Change together",
        &within(&shown(pairs.len().min(PAIRS_SHOWN), pairs.len()), window),
    );
    for pair in pairs.iter().take(PAIRS_SHOWN) {
        let [first, second] = &pair.paths;
        let [a, b] = pair.commits;
        let of = format!("{} of {}", pair.together, counted(a.min(b), "commit"));
        let room = page.width().saturating_sub(11 + of.len());
        page.line(&[
            (&format!("  {:>6}  ", percent(pair.degree)), Paint::Strong),
            (&path_fit(first, room), Paint::Plain),
            (&format!("  {of}"), Paint::Faint),
        ]);
        page.line(&[
            ("          ", Paint::Plain),
            (&path_fit(second, room), Paint::Plain),
        ]);
    }
    page.gap();
}

pub(super) fn ownership(page: &mut Page, folders: &[Ownership], window: Option<&HistoryWindow>) {
    let all = folders.iter().map(|one| one.commits).max().unwrap_or(0);
    // Where one person wrote everything, folders say nothing more.
    let is_of_one = folders.iter().all(|one| one.authors == 1);
    let folders: Vec<&Ownership> = folders
        .iter()
        .filter(|one| one.folder.is_empty() || !is_of_one)
        .filter(|one| f64::from(one.commits) >= FOLDER_SHARE * f64::from(all))
        // All commits of a folder may be those of one in it, which says where.
        .filter(|one| !folders.iter().any(|inner| is_same(one, inner)))
        .collect();
    if folders.is_empty() {
        return;
    }
    page.heading(
        "Who changed it",
        &within(
            &shown(folders.len().min(FOLDERS_SHOWN), folders.len()),
            window,
        ),
    );
    let top: Vec<_> = folders.iter().take(FOLDERS_SHOWN).collect();
    let width = widest(
        top.iter().map(|one| whole_or(&one.folder)),
        page.width() / 3,
    );
    for one in top {
        let people = if one.authors == 1 {
            "1 person".to_owned()
        } else {
            format!("{} people", thousands(one.authors))
        };
        page.line(&[
            ("  ", Paint::Plain),
            (
                &padded(&path_fit(whole_or(&one.folder), width), width),
                Paint::Plain,
            ),
            (
                &format!("  {:>13} by {people:<10}", counted(one.commits, "commit")),
                Paint::Strong,
            ),
            (
                &format!("  {} by {}", percent(one.main_share), one.main_author),
                Paint::Plain,
            ),
        ]);
    }
    page.gap();
}

/// Whether the second is a folder in the first with the same commits.
fn is_same(outer: &Ownership, inner: &Ownership) -> bool {
    let rest = inner.folder.strip_prefix(&outer.folder);
    let is_in = !outer.folder.is_empty() && rest.is_some_and(|rest| rest.starts_with('/'));
    is_in && (outer.commits, outer.authors) == (inner.commits, inner.authors)
}

/// A folder as it is called; the first stands for the whole project.
fn whole_or(folder: &str) -> &str {
    if folder.is_empty() {
        "(everything)"
    } else {
        folder
    }
}
