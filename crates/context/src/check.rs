//! Validates a tenant's template before it is stored: finds all problems at once, each with its line.

use crate::engine::Templates;
use crate::scan::{Word, words};
use crate::variables::{VARIABLES, Variables};

/// The statements that a tenant's template may use. `set`, macros and operators that join texts are not among them:
/// with them a short template could make a text of any length.
const STATEMENTS: [&str; 6] = ["for", "endfor", "if", "elif", "else", "endif"];
/// Operators that join or repeat texts.
const OPERATORS: [char; 4] = ['~', '*', '+', '%'];
/// The most problems that are reported.
const PROBLEMS_MAX: usize = 20;

/// A problem of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateProblem {
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// The problem in a sentence.
    pub message: String,
}

/// The problems of a prompt template; none where it can be used.
#[must_use]
pub fn template_check(template: &str) -> Vec<TemplateProblem> {
    let templates = Templates::prompt();
    let problem = |line, message: String| TemplateProblem { line, message };
    let names = match templates.names(template) {
        Ok(names) => names,
        Err(error) => return vec![problem(error.line, error.message)],
    };
    let found = words(template);
    let mut problems = Vec::new();
    for (line, word) in &found {
        match word {
            Word::Statement(name) if !STATEMENTS.contains(&name.as_str()) => {
                let message = format!(
                    "the statement `{name}` cannot be used: use {}",
                    STATEMENTS.join(", ")
                );
                problems.push(problem(Some(*line), message));
            }
            Word::Operator(c) if OPERATORS.contains(c) => {
                problems.push(problem(
                    Some(*line),
                    format!("the operator `{c}` cannot be used"),
                ));
            }
            _ => {}
        }
    }
    for name in names.iter().filter(|name| !is_known(name)) {
        let is_it = |word: &Word| matches!(word, Word::Name(found) if found == name || found.starts_with(&format!("{name}.")));
        let line = found
            .iter()
            .find(|(_, word)| is_it(word))
            .map(|(line, _)| *line);
        let known: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
        let message = format!(
            "there is no variable `{name}`: there are {}",
            known.join(", ")
        );
        problems.push(problem(line, message));
    }
    if problems.is_empty() {
        // Rendering finds what the analysis does not see, such as an unknown attribute of an item.
        for is_full in [true, false] {
            if let Err(error) = templates.render(template, &Variables::sample(is_full)) {
                problems.push(problem(error.line, error.message));
                break;
            }
        }
    }
    problems.sort_by_key(|problem| problem.line);
    problems.truncate(PROBLEMS_MAX);
    problems
}

fn is_known(name: &str) -> bool {
    let is = |known: &str| {
        let below = name
            .strip_prefix(known)
            .is_some_and(|rest| rest.starts_with('.'));
        name == known || (below && known != "project.name")
    };
    VARIABLES.iter().any(|variable| is(variable.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_variable_is_named_with_its_line() {
        let problems = template_check(
            "{{ input }}\n\n{% if code %}{{ docs }}{% endif %}\n{{ project.secrets }}",
        );
        let told: Vec<_> = problems
            .iter()
            .map(|problem| {
                (
                    problem.line,
                    problem.message.split(':').next().unwrap_or_default(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (Some(3), "there is no variable `docs`"),
                (Some(4), "there is no variable `project.secrets`")
            ]
        );
    }

    #[test]
    fn an_unknown_attribute_of_an_item_is_found() {
        let problems = template_check("{% for item in code %}\n{{ item.secret }}\n{% endfor %}");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].line, Some(2));
    }

    #[test]
    fn what_could_make_a_text_of_any_length_is_refused() {
        for template in [
            "{% set x = input %}{{ x }}",
            "{% macro m() %}x{% endmacro %}",
            "{{ input ~ input }}",
            "{{ 'x' * 1000000 }}",
            "{% raw %}{{ x }}{% endraw %}",
            "{{ range(3) }}",
        ] {
            assert_eq!(
                template_check(template).first().and_then(|one| one.line),
                Some(1),
                "{template}"
            );
        }
    }

    #[test]
    fn a_malformed_template_is_one_problem() {
        let problems = template_check("fine\n{% if %}");
        assert_eq!((problems.len(), problems[0].line), (1, Some(2)));
    }

    #[test]
    fn every_variable_can_be_used() {
        for variable in VARIABLES {
            let template = format!("{{% if {0} %}}{{% endif %}}{{{{ input }}}}", variable.name);
            assert_eq!(template_check(&template), [], "{}", variable.name);
        }
        let persona =
            "{% if persona %}{{ persona.name }} {{ persona.traits | list_words }}{% endif %}";
        assert_eq!(template_check(persona), []);
    }

    #[test]
    fn the_built_in_templates_pass_their_own_check() {
        for template in crate::BUILT_IN_TEMPLATES
            .iter()
            .filter(|template| template.can_be_overridden)
        {
            assert_eq!(template_check(template.text), [], "{}", template.name);
        }
    }
}
