//! A section for `AGENTS.md`, the file that coding agents read first: commands, the most informative habits, layers. It
//! is between two marks, so that it can be replaced in place.

use super::super::analysis::ProjectAnalysis;
use super::super::evidence::CodeLocation;
use super::super::patterns::information::Information;
use super::super::project::stack::CommandPurpose;
use super::super::tree::TreeReport;

/// The line that the section begins with.
pub const AGENTS_BEGIN: &str = "<!-- nyxcore:begin -->";
/// The line that the section ends with.
pub const AGENTS_END: &str = "<!-- nyxcore:end -->";

const HABITS_SHOWN: usize = 20;
const LAYERS_SHOWN: usize = 8;

/// The least confidence of a habit for advising it.
const CONFIDENCE_MIN: f64 = 0.6;

/// Renders the section of an analysed tree, with its marks.
#[must_use]
pub fn agents_section(report: &TreeReport) -> String {
    agents_section_of(&report.project)
}

/// Renders the section of an analysed project, with its marks, from the commands, the patterns and the layers.
#[must_use]
pub fn agents_section_of(project: &ProjectAnalysis) -> String {
    let mut text = format!("{AGENTS_BEGIN}\n## How this project is written\n");
    let at = project.window.as_ref().map(|window| {
        let commit = window.commit.get(..12).unwrap_or(&window.commit);
        format!(" at commit {commit} of {}", window.until)
    });
    text.push_str(&format!(
        "\nCounted from the code by `nyxcore analyze --format agents`{}. \"n of m\" is how many places do so.\n",
        at.unwrap_or_default()
    ));
    if !project.commands.is_empty() {
        text.push_str("\n### Commands\n\n");
        for one in &project.commands {
            text.push_str(&format!(
                "- {}: {}{} ({})\n",
                purpose(one.purpose),
                code(&one.command),
                place(&one.path),
                plain(&one.path)
            ));
        }
    }
    let commit = project.window.as_ref().map(|window| &*window.commit);
    let told: Vec<_> = project
        .patterns
        .iter()
        .filter(|one| one.kind != "commands" && one.confidence >= CONFIDENCE_MIN)
        .filter(|one| !Information::of_commit(one, commit).is_usual())
        .take(HABITS_SHOWN)
        .collect();
    if !told.is_empty() {
        text.push_str("\n### Habits\n\n");
        for one in told {
            let scope = one
                .scope
                .as_deref()
                .map(|scope| format!("In `{}/`: ", plain(scope)));
            let see = one
                .exemplars
                .first()
                .map_or(String::new(), |place| format!(", see {}", shown(place)));
            text.push_str(&format!(
                "- {}{} {} of {}{see}.\n",
                scope.unwrap_or_default(),
                plain(&one.statement),
                one.support,
                one.cases
            ));
        }
    }
    if project.imports.layers.len() > 1 {
        text.push_str("\n### Layers\n\nA folder imports what stands below it or on its own line, and nothing above:\n\n");
        for layer in project.imports.layers.iter().rev().take(LAYERS_SHOWN) {
            let folders: Vec<String> = layer.folders.iter().map(|folder| code(folder)).collect();
            text.push_str(&format!("- {}\n", folders.join(", ")));
        }
    }
    text.push_str(AGENTS_END);
    text.push('\n');
    text
}

/// Returns the file with the section inserted: it replaces the existing section, or is appended.
#[must_use]
pub fn agents_refresh(file: &str, section: &str) -> String {
    if let Some(start) = file.find(AGENTS_BEGIN)
        && let Some(end) = file[start..].find(AGENTS_END)
    {
        let after = &file[start + end + AGENTS_END.len()..];
        return format!("{}{}{after}", &file[..start], section.trim_end());
    }
    match file.trim_end() {
        "" => section.to_owned(),
        before => format!("{before}\n\n{section}"),
    }
}

/// The folder in which a command runs, unless it is the top: that of the file which contains it. Workflows run commands
/// at the top.
fn place(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, _)) if !folder.starts_with(".github") => format!(" in {}", code(folder)),
        _ => String::new(),
    }
}

fn shown(place: &CodeLocation) -> String {
    code(&format!("{}:{}", place.path, place.start_line))
}

/// Formats text as code. Untrusted text of the repository must not end the code, the line or the section.
fn code(text: &str) -> String {
    format!("`{}`", plain(text).replace('`', "'"))
}

/// Returns text on one line without HTML comment marks: paths and names of the repository are untrusted text.
fn plain(text: &str) -> String {
    text.replace(|letter: char| letter.is_control(), " ")
        .replace("<!--", "<! --")
        .replace("-->", "-- >")
}

const fn purpose(purpose: CommandPurpose) -> &'static str {
    match purpose {
        CommandPurpose::Install => "Install",
        CommandPurpose::Build => "Build",
        CommandPurpose::Test => "Test",
        CommandPurpose::Lint => "Check",
        CommandPurpose::Format => "Format",
        CommandPurpose::Run => "Run",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_written_anew_in_its_place() {
        let one = format!("{AGENTS_BEGIN}\none\n{AGENTS_END}\n");
        let two = format!("{AGENTS_BEGIN}\ntwo\n{AGENTS_END}\n");
        assert_eq!(agents_refresh("", &one), one);
        let file = agents_refresh("# Ours\n", &one);
        assert_eq!(file, format!("# Ours\n\n{one}"));
        let file = format!("{file}\nMore of ours.\n");
        let refreshed = agents_refresh(&file, &two);
        assert_eq!(refreshed, format!("# Ours\n\n{two}\nMore of ours.\n"));
        assert_eq!(agents_refresh(&refreshed, &two), refreshed);
    }

    #[test]
    fn a_command_is_told_with_its_folder() {
        assert_eq!(place("web/console/package.json"), " in `web/console`");
        assert_eq!(place("package.json"), "");
        assert_eq!(place(".github/workflows/ci.yml"), "");
    }

    #[test]
    fn nothing_of_a_repository_ends_the_section() {
        assert_eq!(
            code("a`b\n<!-- nyxcore:end -->"),
            "`a'b <! -- nyxcore:end -- >`"
        );
    }
}
