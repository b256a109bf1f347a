//! Rust: exact facts of a file written for the purpose, every number counted by hand.

use nyxcore_code_engine::references::ReferenceKind;

use crate::notation::{analyse, definitions, imports, lines, references};

const SOURCE: &str = r##"//! A store.
use std::{fs, io::{self, Read as Source}};
use crate::model::*;
pub use client::Client;

/// Reads everything. TODO: less
#[inline]
pub async fn read<T: Clone>(path: &str, all: bool) -> io::Result<Vec<T>> {
    let text = fs::read_to_string(path)?;
    if all && (!text.is_empty() && path == "/") || ready(all && LIMIT > 1) {
        'lines: for line in text.lines() {
            match line {
                "a" => return Ok(Vec::new()),
                Kind::FULL if all => break 'lines,
                FIRST | SECOND => {}
                _ => continue,
            }
        }
    } else if let Some(first) = text.chars().next() {
        assert!(first != 'x' && self::probe(Limits::MAX), "{}", path.len());
    } else {
        let Pair { left, right: other } = pair(text) else {
            return Err(io::Error::other("no pair"));
        };
        other.run::<T>(left)[0].name.clear();
    }
    let run = || if all { 1 } else { 2 };
    while let Some(one) = run() {
        loop {
            if one.done() { return Ok(vec![one]); }
        }
    }
    Ok(Reply { path, items: Vec::<T>::with_capacity(4) }.into())
}

pub trait Shape: Debug {
    const SIDES: usize;
    type Unit;
    fn area(&self, unit: Self::Unit) -> f64;
    fn name(&self) -> String { String::from("shape") }
}

impl<T> Shape for Square<T> where T: Into<f64> {
    const SIDES: usize = 4;
    type Unit = Metre;
    fn area(&self, _: Metre) -> f64 { self.side.into() * 2.0 }
}

#[derive(Debug)]
pub(crate) struct Square<T> { side: T, }
enum Kind { Full, Empty(u8) }
union Bits { a: u32, b: f32 }
static COUNT: AtomicU32 = AtomicU32::new(0);
const _: () = check();
mod elsewhere;
macro_rules! twice { ($a:expr) => { $crate::double($a) }; }

#[cfg(test)]
mod tests {
    use super::*;

    // FIXME
    #[tokio::test]
    async fn reads() -> Result<(), Error> {
        read("x", true).await?;
        assert_eq!(Square { side: 1 }.side, 1);
        Ok(())
    }
}
"##;

#[test]
fn definitions_complexity_and_lines_are_those_counted_by_hand() {
    let facts = analyse("src/store.rs", SOURCE);
    // The cyclomatic of `read`: 1, `?`, if, three `&&`, `||`, for, three further arms, guard, else if, `&&` in the
    // macro, let-else, the closure's if, while, if = 18. Cognitive: if 1, `&& &&` 1, `||` 1, the `&&` within the call
    // 1, for 2, match 3, break to a label 1, else if 1, `&&` in the macro 1, else 1, let-else 2, the closure's if 2 and
    // else 1, while 1, loop 2, if 3 = 24.
    assert_eq!(
        definitions(&facts),
        [
            "function read 8-34 ade 18/24/3/2/27",
            "trait Shape 36-41 e",
            "constant Shape.SIDES 37-37",
            "method Shape.area 39-39 e",
            "method Shape.name 40-40 e 1/0/0/1/1",
            "constant Square.SIDES 44-44 !",
            "type Square.Unit 45-45 !",
            "method Square.area 46-46 ! 1/0/0/2/1",
            "struct Square 50-50",
            "enum Kind 51-51",
            "struct Bits 52-52",
            "constant COUNT 53-53",
            "constant _ 54-54 !",
            "module tests 59-69 t",
            "function tests.reads 64-68 at 2/0/0/0/5"
        ]
    );
    let anonymous = facts.anonymous;
    assert_eq!(
        (
            anonymous.functions,
            anonymous.cyclomatic,
            anonymous.cognitive
        ),
        (0, 0, 0)
    );
    assert_eq!(lines(&facts), (60, 3, 6));
    assert_eq!(facts.todos, [6, 62]);
    assert_eq!(facts.tests, [64]);
    assert_eq!(facts.syntax_errors, 0);
}

#[test]
fn imports_and_references_are_those_read_by_hand() {
    let facts = analyse("src/store.rs", SOURCE);
    assert_eq!(
        imports(&facts),
        ["std 2", "crate::model 3", "client::Client 4", "super 60"]
    );
    // What follows a call or an index has no name before it.
    assert_eq!(
        references(&facts, ReferenceKind::Call),
        [
            ".double 56",
            ".into 33",
            ".name.clear 25",
            ".next 19",
            ".with_capacity 33",
            "AtomicU32.new 53",
            "Err 23",
            "Ok 13 30 33",
            "Ok* 67",
            "Reply 33",
            "String.from 40",
            "Vec.new 13",
            "assert 20",
            "assert_eq* 66",
            "check 54",
            "fs.read_to_string 9",
            "io.Error.other 23",
            "one.done 30",
            "other.run 25",
            "pair 22",
            "path.len 20",
            "read* 65",
            "ready 10",
            "run 28",
            "self.probe 20",
            "self.side.into 46",
            "text.chars 19",
            "text.is_empty 10",
            "text.lines 11",
            "vec 30"
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Type),
        [
            "AtomicU32 53",
            "Clone 8",
            "Debug 36",
            "Error* 64",
            "Into 43",
            "Metre 45 46",
            "Pair 22",
            "Result* 64",
            "Shape 43",
            "Square 43",
            "String 40",
            "T 8 25 33 43 43 50",
            "Vec 8 33",
            "io.Result 8"
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Name),
        [
            ".side* 66",
            "Debug 49",
            "FIRST 15",
            "Kind.FULL 14",
            "LIMIT 10",
            "Limits.MAX 20",
            "SECOND 15",
            "Some 19 28",
            "Square* 66",
            "all 10 10 14 27",
            "cfg 58",
            "client.Client 4",
            "derive 49",
            "first 20",
            "inline 7",
            "left 25",
            "line 12",
            "one 30",
            "path 9 10 33",
            "side* 66",
            "std.fs 2",
            "std.io 2",
            "std.io.Read 2",
            "test 58",
            "text 22",
            "tokio.test* 63"
        ]
    );
}
