//! Exact facts of small sources, every number counted by hand.
//!
//! Longer than 450 lines: the cases of all languages follow one notation.

use nyxcore_code_engine::facts::{FileFacts, ImportStyle, Sign};
use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::parse::file_analyze;

fn analyse(path: &str, source: &str) -> FileFacts {
    file_analyze(
        path,
        Language::detect(path).expect("a language"),
        source.as_bytes(),
    )
    .expect("facts")
}

/// Each definition as `kind parent.name first-last`, then `e`xported, `d`ocumented, `t`est, and
/// `cc/nesting/parameters/length` of a function.
fn definitions(facts: &FileFacts) -> Vec<String> {
    facts
        .definitions
        .iter()
        .map(|d| {
            let parent = d
                .parent
                .as_ref()
                .map_or(String::new(), |parent| format!("{parent}."));
            let flags: String = [(d.exported, 'e'), (d.documented, 'd'), (d.test, 't')]
                .iter()
                .filter(|f| f.0)
                .map(|f| f.1)
                .collect();
            let metrics = d.metrics.map_or(String::new(), |m| {
                format!(
                    " {}/{}/{}/{}",
                    m.cyclomatic, m.nesting, m.parameters, m.length
                )
            });
            format!(
                "{} {parent}{} {}-{} {flags}{metrics}",
                d.kind.as_str(),
                d.name,
                d.start_line,
                d.end_line
            )
        })
        .collect()
}

fn imports(facts: &FileFacts) -> Vec<(&str, u32)> {
    facts
        .imports
        .iter()
        .map(|import| (import.module.as_str(), import.line))
        .collect()
}

fn lines(facts: &FileFacts) -> (u32, u32, u32) {
    (facts.lines.code, facts.lines.comment, facts.lines.blank)
}

const RUST: &str = r#"//! Doc.
use std::{fs, io};
use crate::model::*;

/// Reads. TODO: more
#[inline]
pub fn read(path: &str, all: bool) -> io::Result<u32> {
    let text = fs::read_to_string(path)?;
    if all && !text.is_empty() || path == "/" {
        for line in text.lines() {
            match line {
                "a" => return Ok(1),
                "b" if all => return Ok(2),
                _ => {}
            }
        }
    } else if let Some(first) = text.chars().next() {
        assert!(first != 'x' && all);
    }
    let run = || text.len().checked_sub(1).unwrap();
    Ok(run() as u32)
}

pub(crate) struct Store<T>(T);

impl<T> Store<T> {
    /// Gets.
    pub fn get(&self) -> &T { &self.0 }
}

impl<T> Drop for Store<T> {
    fn drop(&mut self) {}
}

/* block
*/
const LIMIT: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        read("x", true).unwrap();
    }
}
"#;

#[test]
fn rust() {
    let facts = analyse("src/a.rs", RUST);
    // read: 1 + `?` + if + && + || + for + two further arms + guard + else if + && in the macro = 11
    assert_eq!(
        definitions(&facts),
        [
            "function read 7-22 ed 11/3/2/16",
            "struct Store 24-24 ",
            "method Store.get 28-28 ed 1/0/1/1",
            "method Store.drop 32-32  1/0/1/1",
            "constant LIMIT 37-37 ",
            "module tests 40-47 t",
            "function tests.reads 44-46 t 1/0/0/3",
        ]
    );
    assert_eq!(
        imports(&facts),
        [("std", 2), ("crate::model", 3), ("super", 41)]
    );
    assert_eq!(facts.signs[Sign::ErrorPropagated], [8]);
    assert_eq!(facts.signs[Sign::ErrorUnwrapped], [20]);
    assert_eq!(facts.signs[Sign::TestModuleInline], [40]);
    assert_eq!(
        (facts.tests.len(), facts.todos.len(), facts.syntax_errors),
        (1, 1, 0)
    );
    assert_eq!(lines(&facts), (35, 5, 7));
}

const PYTHON: &str = r#""""Module."""
import os, sys
from .models import User as U  # TODO

LIMIT = 3


class Client(Base):
    """A client."""

    @property
    def name(self):
        return self._name

    async def fetch(self, url, *args, retries=3, **kw):
        """Fetches.

        Twice."""
        for n in range(retries):
            try:
                if url and n or args:
                    return [x for x in kw if x]
            except (KeyError, OSError) as error:
                raise ClientError(url) from error
            except Exception:
                raise
            finally:
                pass
        else:
            return 1 if url else 2

        def inner(a):
            while a:
                a -= 1

def _hidden(): pass
"#;

#[test]
fn python() {
    let facts = analyse("app/client.py", PYTHON);
    // fetch: 1 + for + if + and + or + comprehension for + its if + 2 except + finally + ternary = 11
    assert_eq!(
        definitions(&facts),
        [
            "constant LIMIT 5-5 e",
            "class Client 8-34 ed",
            "method Client.name 12-13 e 1/0/1/2",
            "method Client.fetch 15-34 ed 11/3/5/20",
            "function inner 32-34  2/1/1/3",
            "function _hidden 36-36  1/0/0/1",
        ]
    );
    assert_eq!(imports(&facts), [("os", 2), ("sys", 2), (".models", 3)]);
    assert_eq!(facts.signs[Sign::CatchSpecific], [23]);
    assert_eq!(facts.signs[Sign::CatchBroad], [25]);
    assert_eq!(facts.signs[Sign::RaiseChained], [24]);
    assert_eq!(facts.todos.len(), 1);
    assert_eq!(lines(&facts), (24, 4, 8));
}

const TYPESCRIPT: &str = r#"import type { A } from './a';
import b, { c } from "b";
import * as d from 'd';
export { e } from './e';

/** Limits. */
export const LIMIT = 3;
export interface Options { deep?: boolean }
export type Alias = A | null;
enum Colour { Red }

/**
 * Loads.
 */
export async function load(path: string, ...rest: string[]): Promise<A> {
  const inner = rest.map((one) => one ?? path);
  switch (path) {
    case 'a':
    case 'b':
      return c(path)?.x;
    default:
      if (path && !rest.length) { throw new Error('x'); } else if (!path) { throw 'y'; }
  }
  try { b(); } catch { }
  return path ? d.x : d.y;
}

const local = (a: number) => { while (a) a--; };
export default class Client extends Base {
  /** Gets. */
  get(id: string) { return id || null; }
  private hide() {}
  handle = () => {};
}
export { local };
"#;

#[test]
fn typescript() {
    let facts = analyse("src/a.ts", TYPESCRIPT);
    // load: 1 + 2 cases + if + && + else if + catch + ternary = 8; its callback: 1 + ?? = 2
    assert_eq!(
        definitions(&facts),
        [
            "constant LIMIT 7-7 ed",
            "interface Options 8-8 e",
            "type Alias 9-9 e",
            "enum Colour 10-10 ",
            "function load 15-26 ed 8/2/2/12",
            "function local 28-28 e 2/1/1/1",
            "class Client 29-34 e",
            "method Client.get 31-31 ed 2/0/1/1",
            "method Client.hide 32-32  1/0/0/1",
            "method Client.handle 33-33 e 1/0/0/1",
        ]
    );
    assert_eq!(
        (facts.anonymous.functions, facts.anonymous.cyclomatic),
        (1, 2)
    );
    assert_eq!(
        imports(&facts),
        [("./a", 1), ("b", 2), ("d", 3), ("./e", 4)]
    );
    assert_eq!(facts.signs[Sign::ThrowNew], [22]);
    assert_eq!(facts.signs[Sign::ThrowValue], [22]);
    assert_eq!(facts.signs[Sign::CatchEmpty], [24]);
    assert_eq!(facts.signs[Sign::ExportNamed], [7, 15, 35]);
    assert_eq!(facts.signs[Sign::ExportDefault], [29]);
    assert_eq!(lines(&facts), (27, 5, 3));
}

#[test]
fn tsx_and_javascript() {
    let tsx = "export const Panel = ({ open }: Props) => {\n  return open ? <b onClick={() => close()}>it's</b> : <></>;\n};\n";
    assert_eq!(
        definitions(&analyse("src/Panel.tsx", tsx)),
        ["function Panel 1-3 e 2/0/1/3"]
    );
    let js = "'use strict';\nvar a = require('./a');\n/** Does. */\nexports.run = function (x) { return x && a; };\ndescribe('a', function () { it('b', () => {}); });\n";
    let facts = analyse("lib/a.js", js);
    assert_eq!(definitions(&facts), ["function run 4-4 ed 2/0/1/1"]);
    assert_eq!((imports(&facts), facts.tests.len()), (vec![("./a", 2)], 1));
    assert_eq!(
        analyse("web/App.jsx", "const App = () => <i/>;\n").function_count(),
        1
    );
}

const GO: &str = r#"package store

import (
	"fmt"

	. "github.com/a/b"
)

// Limit is one.
const Limit, other = 1, 2

// Store stores.
type Store[T any] struct{ items []T }

type reader interface{ Read() error }

// Get gets.
func (s *Store[T]) Get(a, b int, rest ...string) (int, error) {
	if a > 0 && b > 0 || a == b {
		return 0, fmt.Errorf("get: %w", err)
	} else if a < 0 {
		return 0, err
	}
	for _, r := range rest {
		switch r {
		case "a", "b":
			go func() { if a > 1 { return } }()
		default:
		}
	}
	select {
	case <-c:
	}
	return 1, nil
}

func TestIt(t *testing.T) {}
"#;

#[test]
fn go() {
    let facts = analyse("store/store.go", GO);
    // Get: 1 + if + && + || + else if + for + case + select case = 8; the closure: 1 + if = 2
    assert_eq!(
        definitions(&facts),
        [
            "constant Limit 10-10 e",
            "struct Store 13-13 ed",
            "interface reader 15-15 ",
            "method Store.Get 18-35 ed 8/2/3/18",
            "function TestIt 37-37 et 1/0/1/1",
        ]
    );
    assert_eq!(
        (facts.anonymous.functions, facts.anonymous.cyclomatic),
        (1, 2)
    );
    assert_eq!(imports(&facts), [("fmt", 4), ("github.com/a/b", 6)]);
    assert_eq!(facts.signs[Sign::ErrorWrapped], [20]);
    assert_eq!(facts.signs[Sign::ErrorReturned], [22]);
    assert_eq!(facts.signs[Sign::DocStartsWithName], [12, 17]);
    assert_eq!(facts.tests.len(), 1);
    assert_eq!(lines(&facts), (27, 3, 7));
}

const JAVA: &str = r#"package a;

import java.util.List;
import static java.util.Map.*;

/** A store. */
public class Store<T> extends Base {
    public static final int LIMIT = 3;
    private T item;

    public Store(T item) { this.item = item; }

    /** Gets. */
    public T get(int a, String... rest) throws IOException {
        if (a > 0 && rest != null) {
            for (String r : rest) {
                switch (r) {
                    case "a":
                    case "b": return a > 1 ? item : null;
                    default: break;
                }
            }
        } else if (a < 0) { do { a++; } while (a < 0); }
        try { run(); } catch (IOException | Error e) { log(e); } catch (Exception e) { }
        return new Supplier<T>() { public T get() { return null; } }.get();
    }

    @Override public String toString() { return ""; }
    interface Inner { void run(); }
    @Test void works() {}
}
"#;

#[test]
fn java() {
    let facts = analyse("src/Store.java", JAVA);
    // get: 1 + if + && + for + 2 cases + ternary + else if + do-while + 2 catches = 11
    assert_eq!(
        definitions(&facts),
        [
            "class Store 7-31 ed",
            "constant Store.LIMIT 8-8 e",
            "method Store.Store 11-11 e 1/0/1/1",
            "method Store.get 14-26 ed 11/3/2/13",
            "method get 25-25  1/0/0/1",
            "method Store.toString 28-28 e 1/0/0/1",
            "interface Store.Inner 29-29 ",
            "method Inner.run 29-29 ",
            "method Store.works 30-30 t 1/0/0/1",
        ]
    );
    assert_eq!(
        imports(&facts),
        [("java.util.List", 3), ("java.util.Map", 4)]
    );
    assert_eq!(facts.signs[Sign::CatchSpecific], [24]);
    assert_eq!(facts.signs[Sign::CatchBroad], [24]);
    assert_eq!(facts.signs[Sign::CatchEmpty], [24]);
    assert_eq!(lines(&facts), (24, 2, 5));
}

#[test]
fn facts_keep_their_stored_form() {
    let source = "//! Doc.\npub fn a(b: bool) {\n    // TODO\n    if b {}\n}\n";
    insta::assert_json_snapshot!(analyse("src/a.rs", source));
}

#[test]
fn facts_read_back_from_their_stored_form() {
    for (path, source) in [
        ("a.rs", RUST),
        ("a.py", PYTHON),
        ("a.ts", TYPESCRIPT),
        ("a.go", GO),
        ("a.java", JAVA),
    ] {
        let facts = analyse(path, source);
        let bytes = postcard::to_stdvec(&facts).expect("bytes");
        assert_eq!(
            postcard::from_bytes::<FileFacts>(&bytes).expect("facts"),
            facts,
            "{path}"
        );
    }
}

#[test]
fn imported_names_that_may_be_modules_are_listed() {
    let names = |facts: &FileFacts| -> Vec<(String, String, ImportStyle)> {
        let of = |one: &nyxcore_code_engine::facts::Import| {
            (one.module.to_string(), one.names.to_string(), one.style)
        };
        facts.imports.iter().map(of).collect()
    };
    let is = |found: Vec<(String, String, ImportStyle)>, expected: &[(&str, &str, ImportStyle)]| {
        let found: Vec<_> = found
            .iter()
            .map(|(a, b, c)| (a.as_str(), b.as_str(), *c))
            .collect();
        assert_eq!(found, expected);
    };
    let source =
        "use crate::{a::{b, c as d}, e, f::*};\nuse std::fs;\nuse {x::{self, y}, super::z};\n";
    is(
        names(&analyse("a.rs", source)),
        &[
            ("crate", "a::b,a::c,e,f::*", ImportStyle::Names),
            ("std::fs", "", ImportStyle::Names),
            ("x", "self,y", ImportStyle::Names),
            ("super::z", "", ImportStyle::Names),
        ],
    );
    let source =
        "from . import a, b as c\nfrom x import *\nif TYPE_CHECKING:\n    import y\nimport z\n";
    is(
        names(&analyse("a.py", source)),
        &[
            (".", "a,b", ImportStyle::Names),
            ("x", "", ImportStyle::Wildcard),
            ("y", "", ImportStyle::Types),
            ("z", "", ImportStyle::Module),
        ],
    );
}
