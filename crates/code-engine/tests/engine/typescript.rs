//! TypeScript: exact facts of a file written for the purpose, every number counted by hand.

use nyxcore_code_engine::facts::Sign;
use nyxcore_code_engine::references::ReferenceKind;

use crate::notation::{analyse, definitions, imports, lines, references};

const SOURCE: &str = r##"import type { Props } from './props';
import React, { useState as state } from "react";
import * as api from './api';
export { helper } from './helper';

/** Limits. */
export const LIMIT = 3;
export interface Options extends Base<Props> { deep?: boolean; run(one: api.Item): void }
export type Alias = Options | null;
enum Colour { Red = LIMIT }

/**
 * Loads. TODO: less
 */
export async function load(path: string, size = LIMIT, ...rest: string[]): Promise<Item> {
  const { deep = false } = options(path);
  outer: for (const one of rest) {
    switch (one) {
      case 'a':
      case Names.B:
        return client?.http.get<Item>(path)?.body;
      default:
        if (path && !rest.length || deep) { break outer; } else if (!path) { throw new Failure('x'); } else { log(one); }
    }
  }
  try { await api.save(one); } catch { while (size) size--; }
  const run = rest.map((one) => one ? one ?? path : check(one && path));
  return (path && (size && run)) ? `${run.length}` : run;
}

const local = async (a: number) => { do a--; while (a); };

export default class Panel extends React.Component<Props> implements Shown {
  #open = false;
  /** Gets. */
  get(id: Key) { return this.#open || super.get(id); }
  private handle = () => { state(typeof LIMIT); };
  static of(): Panel { return new Panel(); }
  render() { return <Layout.Row title={names[0].first}><b>{this.props.open && <Icon kind={Colour.Red}/>}</b></Layout.Row>; }
}

describe('panel', () => { it('shows', () => { expect(local(1)).toBe(1); }); });
export { local };
"##;

#[test]
fn definitions_complexity_and_lines_are_those_counted_by_hand() {
    let facts = analyse("src/panel.tsx", SOURCE);
    // The cyclomatic of `load`: 1, two defaults, for, two cases, if, `&&`, `||`, else if, catch, while, two `&&`,
    // ternary = 15; its callback has 4. Cognitive: for 1, switch 2, if 3, `&&` 1, `||` 1, break to a label 1, else if
    // 1, else 1, catch 1, while 2, the callback's ternary 2 and `&&` 1, `&& &&` 1, ternary 1 = 19.
    assert_eq!(
        definitions(&facts),
        [
            "constant LIMIT 7-7 de",
            "interface Options 8-8 e",
            "type Alias 9-9 e",
            "enum Colour 10-10",
            "function load 15-29 ade 15/19/3/3/15",
            "function local 31-31 ae 2/1/1/1/1",
            "class Panel 33-40 e",
            "method Panel.get 36-36 de! 2/1/0/1/1",
            "method Panel.handle 37-37 ! 1/0/0/0/1",
            "method Panel.of 38-38 e! 1/0/0/0/1",
            "method Panel.render 39-39 e! 2/1/0/0/1"
        ]
    );
    let anonymous = facts.anonymous;
    assert_eq!(
        (
            anonymous.functions,
            anonymous.cyclomatic,
            anonymous.cognitive
        ),
        (3, 6, 0)
    );
    assert_eq!(lines(&facts), (33, 5, 5));
    assert_eq!(facts.todos, [13]);
    assert_eq!(facts.tests, [42]);
    assert_eq!(facts.syntax_errors, 0);
}

#[test]
fn imports_and_references_are_those_read_by_hand() {
    let facts = analyse("src/panel.tsx", SOURCE);
    assert_eq!(
        imports(&facts),
        ["./props 1", "react 2", "./api 3", "./helper 4"]
    );
    // What follows a call or an index has no name before it.
    assert_eq!(
        references(&facts, ReferenceKind::Call),
        [
            ".toBe 42",
            "Failure 23",
            "Icon 39",
            "Layout.Row 39",
            "Panel 38",
            "api.save 26",
            "check 27",
            "client.http.get 21",
            "describe 42",
            "expect 42",
            "it 42",
            "local 42",
            "log 23",
            "options 16",
            "rest.map 27",
            "state 37",
            "super.get 36"
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Type),
        [
            "Base 8",
            "Item 15 21",
            "Key 36",
            "Options 9",
            "Panel 38",
            "Promise 15",
            "Props 8 33",
            "React.Component 33",
            "Shown 33",
            "api.Item 8"
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Name),
        [
            ".body 21",
            ".first 39",
            "Colour.Red 39",
            "LIMIT 10 15 37",
            "Names.B 20",
            "Props 1",
            "React 2",
            "a 31 31",
            "deep 23",
            "helper 4",
            "id 36",
            "names 39",
            "one 18 23 26 27 27 27",
            "path 16 21 23 23 27 27 28",
            "rest 17",
            "rest.length 23",
            "run 28 28",
            "run.length 28",
            "size 26 26 28",
            "this.#open 36",
            "this.props.open 39",
            "useState 2"
        ]
    );
}

#[test]
fn a_signature_says_whether_it_is_typed() {
    let source = "export function f(): number { return 1; }\nexport const g = async (a: A) => a;\n\
                  const h: Handler = () => 1;\nfunction k(a: A): void;\nfunction k(a: any) {\n  \
                  const inner = () => a;\n}\n";
    let facts = analyse("a.ts", source);
    assert_eq!(facts.signs[Sign::SignatureTyped], [1]);
    assert_eq!(facts.signs[Sign::SignatureUntyped], [2]);
    assert!(analyse("a.js", "const f = () => 1;\n").signs.is_empty());
}
