//! Names in facts. Files of a project repeat each other's names, so in a large project each is stored once.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rustc_hash::FxHashSet;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::blob::sum;
use super::facts::FileFacts;

/// A name of a definition, a decorator or a module. It is a string that several owners may share.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

/// Most imports have no alias, so all empty names are one.
static EMPTY: LazyLock<Name> = LazyLock::new(|| Name("".into()));

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self
    }
}

impl Default for Name {
    fn default() -> Name {
        EMPTY.clone()
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Name {
        match name {
            "" => Name::default(),
            _ => Name(name.into()),
        }
    }
}

impl From<String> for Name {
    fn from(name: String) -> Name {
        name.as_str().into()
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            // Most of the facts of a project are names, and another string would be one more allocation for each.
            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(name.into())
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// The number of tables, so that threads rarely wait for each other.
const TABLES: usize = 64;

/// The names of a project, each once.
#[derive(Debug)]
pub(crate) struct SharedNames([Mutex<FxHashSet<Name>>; TABLES]);

impl SharedNames {
    pub fn new() -> SharedNames {
        SharedNames(std::array::from_fn(|_| Mutex::default()))
    }

    /// Replaces the names in the facts of a file by equal ones of other files.
    pub fn share(&self, facts: &mut FileFacts) {
        for one in &mut facts.definitions {
            let names = std::iter::once(&mut one.name).chain(&mut one.parent);
            names
                .chain(&mut one.decorators)
                .for_each(|name| self.one(name));
        }
        for one in &mut facts.imports {
            let names = [&mut one.module, &mut one.names, &mut one.alias];
            names.into_iter().for_each(|name| self.one(name));
        }
        self.one(&mut facts.header);
    }

    fn one(&self, name: &mut Name) {
        if name.is_empty() {
            return;
        }
        let table = &self.0[sum(name.as_bytes()) as usize % TABLES];
        let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
        match table.get(&**name) {
            Some(known) => *name = known.clone(),
            None => drop(table.insert(name.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::language::Language;
    use super::*;
    use crate::parse::file_analyze;

    fn is_shared(one: &Name, other: &Name) -> bool {
        !one.is_empty() && Arc::ptr_eq(&one.0, &other.0)
    }

    #[test]
    fn equal_names_of_two_files_are_stored_once() {
        let source = b"# Copyright 2026 Ada\nimport os.path as way\n\nclass Store:\n    @cached\n    def load_all(self):\n        pass\n";
        let facts = || file_analyze("a.py", Language::Python, source).unwrap();
        let (names, [mut one, mut other]) = (SharedNames::new(), [facts(), facts()]);
        names.share(&mut one);
        names.share(&mut other);
        assert_eq!((&one, &other), (&facts(), &facts()));
        for (a, b) in one.definitions.iter().zip(&other.definitions) {
            assert!(is_shared(&a.name, &b.name));
            let parents = [a, b].map(|one| one.parent.as_ref().map(|name| Arc::as_ptr(&name.0)));
            assert_eq!(parents[0], parents[1]);
        }
        let [import, of_other] = [&one, &other].map(|facts| &facts.imports[0]);
        assert!(is_shared(&import.module, &of_other.module));
        assert!(is_shared(&import.alias, &of_other.alias));
        assert!(is_shared(&one.header, &other.header));
        let store = &one.definitions[0].name;
        assert_eq!(one.definitions[1].parent.as_ref(), Some(store));
    }

    #[test]
    fn a_name_is_kept_as_a_string() {
        let name = Name::from("load_all");
        let bytes = postcard::to_stdvec(&name).unwrap();
        assert_eq!(bytes, postcard::to_stdvec("load_all").unwrap());
        assert_eq!(postcard::from_bytes::<Name>(&bytes).unwrap(), name);
        assert_eq!(postcard::from_bytes::<Name>(&[0]).unwrap(), Name::default());
        assert!(name == "load_all" && format!("{name} {name:?}") == "load_all \"load_all\"");
    }
}
