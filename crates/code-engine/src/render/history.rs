//! Renders the statistics of the history.

use super::super::project::Hotspot;
use super::super::project::history::{CoChange, HistoryWindow, Ownership, is_told};
use super::page::{Page, Paint, bar, counted, padded, path_fit, percent, shown, thousands, widest};

const HOTSPOTS_SHOWN: usize = 5;
/// A file that was changed less often in the window is not changed often, however complex it is.
const OFTEN: u32 = 3;
/// A file with less than this share of the first one's score is no hotspot beside it.
const SCORE_MIN: f64 = 0.2;
/// A file of less cyclomatic complexity than McCabe allows one function ("A complexity measure", 1976) is not complex,
/// however often it is changed.
const COMPLEX: u32 = 10;
/// A folder with a smaller share of the commits says little of who knows the project.
const FOLDER_SHARE: f64 = 0.05;
const PAIRS_SHOWN: usize = 4;
const FOLDERS_SHOWN: usize = 6;
/// Shares of commits that differ by less tell nothing of a folder that the project does not.
const SHARE_DIFFERS: f64 = 0.2;
/// Whom to ask of a folder is known from so many commits on, and from such a share of them.
const COMMITS_TOLD: u32 = 10;
const SHARE_TOLD: f64 = 1.0 / 3.0;

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
    let is_hot = |one: &&Hotspot| {
        one.commits >= OFTEN && one.complexity >= COMPLEX && one.score >= SCORE_MIN
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
        .filter(|pair| is_told(&pair.paths[0], &pair.paths[1]))
        .collect();
    if pairs.is_empty() {
        return;
    }
    // Of a group that changes together, each file is named once with another.
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
        // The commits are those of the file that changes less often, so it stands beside them.
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

/// The folders whose changes are spread otherwise than in what is around them: by another person most, or by the same
/// in a share that differs by [`SHARE_DIFFERS`]. Nobody is told of a folder that few commits changed, or nobody much.
/// The whole project comes first.
fn telling_folders<'f>(folders: &[&'f Ownership]) -> Vec<&'f Ownership> {
    let mut told: Vec<&Ownership> = Vec::new();
    for &one in folders {
        // The innermost of those around it that is told already; a folder comes after what it is in, which has no
        // fewer commits.
        let holds = |outer: &&&Ownership| {
            let rest = one.folder.strip_prefix(outer.folder.as_str());
            rest.is_some_and(|rest| outer.folder.is_empty() || rest.starts_with('/'))
        };
        let around = told
            .iter()
            .filter(holds)
            .max_by_key(|outer| outer.folder.len());
        let is_alike = around.is_some_and(|outer| {
            outer.main_author == one.main_author
                && (outer.main_share - one.main_share).abs() < SHARE_DIFFERS
        });
        let is_somebodys = one.commits >= COMMITS_TOLD && one.main_share >= SHARE_TOLD;
        if one.folder.is_empty() || (is_somebodys && !is_alike) {
            told.push(one);
        }
    }
    told
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
    let folders = telling_folders(&folders);
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
        assert_eq!(told, ["", "src/sftp", "docs", "docsite"]);
    }

    #[test]
    fn what_is_cool_beside_the_first_is_no_hotspot() {
        let hotspot = |path: &str, score: f64| Hotspot {
            source_id: None,
            path: path.to_owned(),
            commits: 9,
            complexity: 40,
            score,
        };
        let found = [
            hotspot("a.c", 1.0),
            hotspot("b.c", 0.4),
            hotspot("c.c", 0.1),
        ];
        let mut page = Page::new(80, false);
        hotspots(&mut page, &found, None);
        let text = page.finish();
        assert!(text.contains("b.c") && !text.contains("c.c  9"), "{text}");
    }

    #[test]
    fn a_group_that_changes_together_is_told_once() {
        let pair = |one: &str, other: &str| CoChange {
            source_ids: [None, None],
            paths: [one.to_owned(), other.to_owned()],
            together: 6,
            commits: [6, 6],
            degree: 1.0,
        };
        let pairs = [
            pair("a", "b"),
            pair("a", "c"),
            pair("b", "c"),
            pair("d", "e"),
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
