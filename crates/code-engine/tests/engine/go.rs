//! Go: exact facts of a file written for the purpose, every number counted by hand.

use nyxcore_code_engine::references::ReferenceKind;

use crate::notation::{analyse, definitions, imports, lines, references};

const SOURCE: &str = r##"// Package store keeps things.
package store

import (
	"fmt"

	. "github.com/a/b"
	client "github.com/a/client/v2"
)

// Limit is one. TODO: two
const Limit, other = 1, 2

// Store stores.
type Store[T any] struct {
	client.Base
	items map[string]Item
}

type reader interface {
	Read(p []byte) (int, error)
}

type Handler = func(w io.Writer) Status

var fallback, backup = open(Limit), &Store[int]{}

// Get gets.
func (s *Store[T]) Get(a, b int, rest ...client.Option) (*Item, error) {
	if a > 0 && b > 0 || a == other {
		return nil, fmt.Errorf("get: %w", ErrRange)
	} else if found, ok := s.items[key(a)]; ok && check(b && a) {
		return &found, nil
	} else {
		defer s.lock.Unlock()
	}
outer:
	for _, option := range rest {
		switch value := option.(type) {
		case Item, *Store[T]:
			go func() {
				if value.ready {
					s.done <- value
				}
			}()
		case nil:
			continue outer
		default:
			goto end
		}
	}
	select {
	case x := <-s.done:
		list(x).first.Close()
	default:
	}
end:
	return Item{Name: Default, Size: len(rest)}, nil
}

func init() { register(Handler(nil)) }

func TestGet(t *testing.T) { t.Run("a", check) }
"##;

#[test]
fn definitions_complexity_and_lines_are_those_counted_by_hand() {
    let facts = analyse("store/store.go", SOURCE);
    // The cyclomatic of `Get`: 1, if, `&&`, `||`, else if, two `&&`, for, two cases, the case of select = 11; the
    // closure has 2 of its own. Cognitive: if 1, `&&` 1, `||` 1, else if 1, `&&` 1, the one within the call 1, else 1,
    // for 1, switch 2, the closure's if 4, continue to a label 1, goto 1, select 1 = 17.
    assert_eq!(
        definitions(&facts),
        [
            "constant Limit 12-12 e",
            "struct Store 15-18 de",
            "interface reader 20-22",
            "type Handler 24-24 e",
            "method Store.Get 29-59 de 11/17/2/3/31",
            "function init 61-61 ! 1/0/0/0/1",
            "function TestGet 63-63 et 1/0/0/1/1"
        ]
    );
    let anonymous = facts.anonymous;
    assert_eq!(
        (
            anonymous.functions,
            anonymous.cyclomatic,
            anonymous.cognitive
        ),
        (1, 2, 0)
    );
    assert_eq!(lines(&facts), (49, 4, 10));
    assert_eq!(facts.todos, [11]);
    assert_eq!(facts.tests, [63]);
    assert_eq!(facts.syntax_errors, 0);
}

#[test]
fn imports_and_references_are_those_read_by_hand() {
    let facts = analyse("store/store.go", SOURCE);
    assert_eq!(
        imports(&facts),
        ["fmt 5", "github.com/a/b 7", "github.com/a/client/v2 8"]
    );
    // What follows a call or an index has no name before it.
    assert_eq!(
        references(&facts, ReferenceKind::Call),
        [
            ".first.Close 54",
            "Handler 61",
            "Item 58",
            "Store 26",
            "check 32",
            "fmt.Errorf 31",
            "key 32",
            "len 58",
            "list 54",
            "open 26",
            "register 61",
            "s.lock.Unlock 35",
            "t.Run 63"
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Type),
        [
            "Item 17 29 40",
            "Status 24",
            "Store 29 40",
            "T 29 40",
            "any 15",
            "byte 21",
            "client.Base 16",
            "client.Option 29",
            "error 21 29",
            "int 21 26 29",
            "io.Writer 24",
            "nil 46",
            "string 17",
            "testing.T 63"
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Name),
        [
            "Default 58",
            "ErrRange 31",
            "Limit 26",
            "Name 58",
            "Size 58",
            "a 30 30 32 32",
            "b 30 32",
            "check 63",
            "found 33",
            "ok 32",
            "option 39",
            "other 30",
            "rest 38 58",
            "s.done 43 53",
            "s.items 32",
            "value 43",
            "value.ready 42",
            "x 54"
        ]
    );
}
