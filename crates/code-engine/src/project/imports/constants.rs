//! Uses of Ruby's constants: what is loaded automatically is used without an import.

use rustc_hash::FxHashMap;

use super::super::SourceFile;
use crate::facts::DefinitionKind;
use crate::language::Language;

/// A Ruby file, and the files that define a constant which it names with the module around: `Sidekiq::Job`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConstantUse {
    pub from: u32,
    pub defined_in: Vec<u32>,
}

/// The uses of constants in the files that count.
pub(crate) fn constant_uses(
    files: &[&SourceFile],
    counts: impl Fn(u32) -> bool,
) -> Vec<ConstantUse> {
    let counts = &counts;
    let ruby = || {
        let files = (0u32..).zip(files);
        files.filter(move |(at, file)| file.language == Language::Ruby && counts(*at))
    };
    let mut defined: FxHashMap<(&str, &str), Vec<u32>> = FxHashMap::default();
    for (at, file) in ruby() {
        for one in &file.facts.definitions {
            let is_type = matches!(one.kind, DefinitionKind::Class | DefinitionKind::Module);
            if let Some(parent) = one.parent.as_deref().filter(|_| is_type) {
                // A compact name holds the module around: `class Shop::Cart`.
                let last = |name: &str| name.rfind("::").map_or(0, |end| end + 2);
                let key = (&parent[last(parent)..], &one.name[last(&one.name)..]);
                let places = defined.entry(key).or_default();
                if places.last() != Some(&at) {
                    places.push(at);
                }
            }
        }
    }
    let mut uses = Vec::new();
    for (from, file) in ruby() {
        for reference in file.facts.references.iter().filter(|one| !one.test) {
            let mut parts = reference.path.split('.');
            let mut before = parts.next().unwrap_or_default();
            for name in parts {
                if let Some(places) = defined.get(&(before, name)) {
                    uses.push(ConstantUse {
                        from,
                        defined_in: places.clone(),
                    });
                }
                before = name;
            }
        }
    }
    uses
}
