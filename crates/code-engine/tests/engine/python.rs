//! Python: exact facts of a file written for the purpose, every number counted by hand.

use nyxcore_code_engine::facts::Sign;
use nyxcore_code_engine::references::ReferenceKind;

use crate::notation::{analyse, definitions, imports, lines, references};

const SOURCE: &str = r##""""A client."""
import os, sys as system
from .models import User as U, Group  # TODO: fewer
from .errors import *

LIMIT = 3
names: "list[Name]" = []


@dataclass(frozen=True)
class Client(Base, metaclass=Meta):
    """Talks."""

    kind: Literal["a"] = "a"

    @property
    def name(self) -> str:
        return self._name.strip()

    async def fetch(self, url: Url, *args: Any, retries=LIMIT, **kw) -> "models.Reply":
        """Fetches.

        Twice."""
        for n in range(retries):
            try:
                if url and n or args and (n or kw):
                    return [x for x in kw if x.ready]
                elif not url:
                    continue
            except (KeyError, errors.Timeout) as error:
                raise ClientError(url) from error
            except Exception:
                if n:
                    raise
            finally:
                self.session().pool.close()
        else:
            return 1 if url else sorted(kw, key=lambda one: one.a if one else LIMIT)

        def inner(a):
            while a:
                a -= 1
            return helper(a)

        match inner(1):
            case Reply(code=200) if url:
                pass
            case _:
                self.log["a"].last = inner
        return f"{Group.of(url)}"


def test_client(client):
    assert client.fetch(U()) is not None


def _hidden(): pass
"##;

#[test]
fn definitions_complexity_and_lines_are_those_counted_by_hand() {
    let facts = analyse("app/client.py", SOURCE);
    // The cyclomatic of `fetch`: 1, for, if, two `and`, two `or`, the comprehension's for and if, elif, two except, if,
    // finally, two ternaries, the case and its guard = 18. Cognitive: for 1, if 2, `and or and or` 4, elif 1, two
    // except 2 each, if 3, the else of the loop 1, ternary 2, the one in the lambda 4, match 1 = 23. `inner` has its
    // own.
    assert_eq!(
        definitions(&facts),
        [
            "constant LIMIT 6-6 e",
            "class Client 11-50 de",
            "method Client.name 17-18 e! 1/0/0/1/2",
            "method Client.fetch 20-50 ade! 18/23/3/5/31",
            "function inner 40-43 2/1/1/1/4",
            "function test_client 53-54 et 1/0/0/1/2",
            "function _hidden 57-57 1/0/0/0/1"
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
    assert_eq!(lines(&facts), (40, 4, 13));
    assert_eq!(facts.todos, [3]);
    assert_eq!(facts.tests, [53]);
    assert_eq!(facts.syntax_errors, 0);
}

#[test]
fn imports_and_references_are_those_read_by_hand() {
    let facts = analyse("app/client.py", SOURCE);
    assert_eq!(imports(&facts), ["os 2", "sys 2", ".models 3", ".errors 4"]);
    // What follows a call or an index has no name before it.
    assert_eq!(
        references(&facts, ReferenceKind::Call),
        [
            ".pool.close 36",
            "ClientError 31",
            "Group.of 50",
            "U 54",
            "client.fetch 54",
            "dataclass 10",
            "helper 43",
            "inner 45",
            "range 24",
            "self._name.strip 18",
            "self.session 36",
            "sorted 38"
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Type),
        [
            "Any 20",
            "Base 11",
            "Exception 32",
            "KeyError 30",
            "Literal 14",
            "Name 7",
            "Url 20",
            "errors.Timeout 30",
            "list 7",
            "models.Reply 20",
            "str 17"
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Name),
        [
            ".last 49",
            "Group 3",
            "LIMIT 20 38",
            "Meta 11",
            "Reply 46",
            "User 3",
            "a 41 43",
            "args 26",
            "error 31",
            "inner 49",
            "kw 26 27 38",
            "n 26 26 33",
            "one 38",
            "one.a 38",
            "property 16",
            "retries 24",
            "self.log 49",
            "url 26 28 31 38 46 50",
            "x 27",
            "x.ready 27"
        ]
    );
}

#[test]
fn a_signature_says_whether_it_is_typed() {
    let source = "def f(a: int, *b: str) -> int: ...\ndef g(a, b: int) -> int: ...\ndef h(): ...\nclass A:\n    \
                  def __init__(self, a: int): ...\n    def run(self, a: int): ...\n    def stop(self): ...\n";
    let facts = analyse("a.py", source);
    assert_eq!(facts.signs[Sign::SignatureTyped], [1, 5]);
    assert_eq!(facts.signs[Sign::SignatureUntyped], [2, 6]);
}
