//! Renders the statistics of the history.

use super::super::project::Hotspot;
use super::super::project::history::{CoChange, HistoryWindow, Ownership, is_told};
use super::page::{Page, Paint, bar, counted, padded, path_fit, percent, shown, thousands, widest};

const HOTSPOTS_SHOWN: usize = 3;
/// The least number of changes in the window for a hotspot, regardless of its complexity, and for a pair of files: one
/// in two months of the window's year.
const OFTEN: u32 = 6;
/// The least changes of a hotspot: one for so many of the hotspot that changes most. A sweep over all files is no
/// reason to look at one.
const OFTEN_PART: u32 = 5;
/// The least score of a hotspot, as a share of the first one's.
const SCORE_MIN: f64 = 0.2;
/// The least cyclomatic complexity of a hotspot: McCabe's limit for one function ("A complexity measure", 1976),
/// regardless of the number of its changes.
const COMPLEX: u32 = 10;
/// The least share of the commits for a folder to be shown: a smaller one is not informative.
const FOLDER_SHARE: f64 = 0.05;
const PAIRS_SHOWN: usize = 3;
const FOLDERS_SHOWN: usize = 3;
/// The least number of commits, and the least share of them, for the main author to be an expert on a folder or on the
/// project: one who made less than half of the commits is one of several to ask.
const COMMITS_TOLD: u32 = 10;
const SHARE_TOLD: f64 = 0.5;

/// Appends the dates of the window to the other words of a heading.
fn within(words: &str, window: Option<&HistoryWindow>) -> String {
    let dates = window.map(HistoryWindow::dates).unwrap_or_default();
    let parts: Vec<&str> = [words, &dates]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(", ")
}

pub(super) fn hotspots(page: &mut Page, hotspots: &[Hotspot], window: Option<&HistoryWindow>) {
    let most = hotspots.iter().map(|one| one.commits).max().unwrap_or(0);
    let often = OFTEN.max(most.div_ceil(OFTEN_PART));
    let is_hot = |one: &&Hotspot| {
        one.commits >= often && one.complexity >= COMPLEX && one.score >= SCORE_MIN
    };
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
        .filter(|pair| pair.together >= OFTEN && is_told(&pair.paths[0], &pair.paths[1]))
        .collect();
    if pairs.is_empty() {
        return;
    }
    // In a group of files that change together, a pair is shown only if one of its files is new.
    let mut named: Vec<&str> = Vec::new();
    let mut told: Vec<&CoChange> = Vec::new();
    for pair in &pairs {
        let new = |path: &&String| !named.contains(&path.as_str());
        if told.len() < PAIRS_SHOWN && pair.paths.iter().any(|path| new(&path)) {
            named.extend(pair.paths.iter().map(String::as_str));
            told.push(pair);
        }
    }
    page.heading(
        "Change together",
        &within(&shown(told.len(), pairs.len()), window),
    );
    for pair in told {
        let [a, b] = pair.commits;
        // The number of commits belongs to the file that changes less often, so that file is on the same line.
        let (first, second) = match b < a {
            true => (&pair.paths[1], &pair.paths[0]),
            false => (&pair.paths[0], &pair.paths[1]),
        };
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

/// The folders whose main author differs from that of the enclosing folder. Folders with few commits, or without a
/// clear main author, are not shown. The whole project comes first, if it has a clear main author.
fn telling_folders<'f>(folders: &[&'f Ownership]) -> Vec<&'f Ownership> {
    let mut told: Vec<&Ownership> = Vec::new();
    for &one in folders {
        // The innermost enclosing folder that is already shown. Outer folders come first, because they have at least as
        // many commits.
        let holds = |outer: &&&Ownership| {
            let rest = one.folder.strip_prefix(outer.folder.as_str());
            rest.is_some_and(|rest| outer.folder.is_empty() || rest.starts_with('/'))
        };
        let around = told
            .iter()
            .filter(holds)
            .max_by_key(|outer| outer.folder.len());
        let is_alike = around.is_some_and(|outer| outer.main_author == one.main_author);
        let is_known = one.folder.is_empty() || one.commits >= COMMITS_TOLD;
        if is_known && one.main_share >= SHARE_TOLD && !is_alike {
            told.push(one);
        }
    }
    told
}

pub(super) fn ownership(page: &mut Page, folders: &[Ownership], window: Option<&HistoryWindow>) {
    let all = folders.iter().map(|one| one.commits).max().unwrap_or(0);
    // If one person wrote everything, there is nobody else to ask.
    if folders.iter().all(|one| one.authors == 1) {
        return;
    }
    let folders: Vec<&Ownership> = folders
        .iter()
        .filter(|one| f64::from(one.commits) >= FOLDER_SHARE * f64::from(all))
        // If all commits of a folder are in one subfolder, only the subfolder is shown.
        .filter(|one| !folders.iter().any(|inner| is_same(one, inner)))
        .collect();
    let folders = telling_folders(&folders);
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

/// Whether `inner` is a subfolder of `outer` with the same commits and authors.
fn is_same(outer: &Ownership, inner: &Ownership) -> bool {
    let rest = inner.folder.strip_prefix(&outer.folder);
    let is_in = !outer.folder.is_empty() && rest.is_some_and(|rest| rest.starts_with('/'));
    is_in && (outer.commits, outer.authors) == (inner.commits, inner.authors)
}

/// The displayed name of a folder; the empty path is the whole project.
fn whole_or(folder: &str) -> &str {
    if folder.is_empty() {
        "(everything)"
    } else {
        folder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(folder: &str, commits: u32, author: &str, share: f64) -> Ownership {
        Ownership {
            folder: folder.to_owned(),
            source_id: None,
            commits,
            authors: 4,
            main_author: author.to_owned(),
            main_share: share,
        }
    }

    #[test]
    fn a_folder_that_is_changed_as_the_project_is_is_not_told() {
        let folders = [
            owned("", 134, "Ada", 0.56),
            owned("src", 87, "Ada", 0.51),
            owned("src/local", 23, "Ada", 0.57),
            owned("src/sftp", 20, "Ada", 0.8),
            owned("docs", 19, "Bob", 0.6),
            owned("docs/content", 18, "Bob", 0.7),
            owned("docsite", 17, "Bob", 0.6),
            owned("tests", 16, "Cleo", 0.2),
            owned("few", 6, "Bob", 0.9),
        ];
        let told: Vec<&str> = telling_folders(&folders.iter().collect::<Vec<_>>())
            .iter()
            .map(|one| one.folder.as_str())
            .collect();
        assert_eq!(told, ["", "docs", "docsite"]);
    }

    #[test]
    fn a_project_without_a_main_author_has_no_row() {
        let mut page = Page::new(80, false);
        ownership(&mut page, &[owned("", 39, "Ada", 0.49)], None);
        let alone = Ownership {
            authors: 1,
            ..owned("", 648, "Ada", 1.0)
        };
        ownership(&mut page, &[alone], None);
        assert_eq!(page.finish(), "");
    }

    #[test]
    fn what_is_cool_beside_the_first_is_no_hotspot() {
        let hotspot = |path: &str, commits: u32, score: f64| Hotspot {
            source_id: None,
            path: path.to_owned(),
            commits,
            complexity: 40,
            score,
        };
        let found = [
            hotspot("a.c", 9, 1.0),
            hotspot("rare.c", 5, 0.5),
            hotspot("b.c", 9, 0.4),
            hotspot("c.c", 9, 0.1),
        ];
        let mut page = Page::new(80, false);
        hotspots(&mut page, &found, None);
        let text = page.finish();
        assert!(text.contains("b.c") && !text.contains("c.c  9"), "{text}");
        assert!(!text.contains("rare.c"), "{text}");
    }

    #[test]
    fn a_group_that_changes_together_is_told_once() {
        let pair = |one: &str, other: &str, together: u32| CoChange {
            source_ids: [None, None],
            paths: [one.to_owned(), other.to_owned()],
            together,
            commits: [together, together],
            degree: 1.0,
        };
        let pairs = [
            pair("a", "b", 6),
            pair("a", "c", 6),
            pair("b", "c", 6),
            pair("d", "e", 6),
            pair("f", "g", 5),
        ];
        let mut page = Page::new(80, false);
        co_changes(&mut page, &pairs, None);
        let text = page.finish();
        assert!(text.contains("(3 of 4)"), "{text}");
        assert_eq!(text.matches("6 of 6").count(), 3, "{text}");
    }

    #[test]
    fn the_file_that_changes_less_often_stands_first() {
        let pair = CoChange {
            source_ids: [None, None],
            paths: ["src/Ftp.php".to_owned(), "src/Sftp.php".to_owned()],
            together: 7,
            commits: [14, 7],
            degree: 1.0,
        };
        let mut page = Page::new(80, false);
        co_changes(&mut page, &[pair], None);
        let text = page.finish();
        assert!(
            text.contains("100 %  src/Sftp.php  7 of 7 commits"),
            "{text}"
        );
    }
}
