//! Scala: exact facts of a file written for the purpose, every number counted by hand.

use nyxcore_code_engine::facts::Sign;
use nyxcore_code_engine::references::ReferenceKind;

use crate::notation::{analyse, definitions, imports, lines, references};

const LEDGER: &str = r#"package bank.ledger

import cats.effect.{IO, Ref => Reference}
import scala.concurrent.duration._
import bank.model.Account, bank.model.Entry

/** Keeps the books. */
final case class Ledger[F](store: Store[F], limit: Int = 3) extends Books(store) with Audit {

  /** Posts an entry. */
  def post(entry: Entry)(implicit clock: Clock): Either[Error, Entry] = {
    if (entry.amount > limit && !entry.isEmpty || clock.late) {
      Left(Error("limit"))
    } else if (entry.isEmpty) {
      Right(entry)
    } else {
      entry match {
        case Credit(to, amount) if amount > 0 => store.save(to)
        case Debit(_, _) => store.list.map(one => one.total)
        case other => Right(other)
      }
    }
  }

  private def sums(accounts: List[Account]): List[Int] =
    for {
      account <- accounts
      entry <- account.entries if entry.open
    } yield entry.amount

  override def close(): Unit =
    try store.close()
    catch {
      case error: IOException => log.warn(error.getMessage)
      case _: Exception =>
    }

  def drain(): Unit = {
    while (store.busy) store.poll() // TODO: back off
    new Report[F](store).print()
  }
}

object Ledger {
  val DefaultLimit = 10
  private type Row = (String, Int)
  def apply(): Ledger[IO] = build[IO](DefaultLimit)
}

trait Audit { def audit(entry: Entry): Unit }

enum Side { case Left, Right }

given ordering: Ordering[Entry] with {
  def compare(a: Entry, b: Entry): Int = a.amount - b.amount
}

extension (entry: Entry) def doubled(n: Int): Entry = entry.copy(n)
"#;

#[test]
fn a_file_of_scala() {
    let facts = analyse("src/Ledger.scala", LEDGER);
    // post: 1 + if + && + || + else if + 3 cases + guard = 9;
    //   cognitive: if 1 + && 1 + || 1 + else if 1 + else 1 + match 2 = 7; nesting: if, match.
    // sums: 1 + for + guard = 3; cognitive 1.
    // close: 1 + catch + 2 cases = 4; cognitive: catch 1. drain: 1 + while = 2; cognitive 1.
    assert_eq!(
        definitions(&facts),
        [
            "class Ledger 8-42 de",
            "method Ledger.post 11-23 de 9/7/2/2/13",
            "method Ledger.sums 25-29 3/1/1/1/5",
            "method Ledger.close 31-36 e! 4/1/1/0/6",
            "method Ledger.drain 38-41 e 2/1/1/0/4",
            "class Ledger 44-48 e",
            "constant Ledger.DefaultLimit 45-45 e",
            "type Ledger.Row 46-46",
            "method Ledger.apply 47-47 e! 1/0/0/0/1",
            "trait Audit 50-50 e",
            "method Audit.audit 50-50 e",
            "enum Side 52-52 e",
            "method ordering.compare 55-55 e! 1/0/0/2/1",
            "function doubled 58-58 e 1/0/0/1/1",
        ]
    );
    assert_eq!(
        imports(&facts),
        [
            "cats.effect 3",
            "scala.concurrent.duration 4",
            "bank.model.Account 5",
            "bank.model.Entry 5",
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Call),
        [
            ".print 40",
            "Error 13",
            "Left 13",
            "Report 40",
            "Right 15 20",
            "build 47",
            "entry.copy 58",
            "log.warn 34",
            "store.close 32",
            "store.list.map 19",
            "store.poll 39",
            "store.save 18",
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Type),
        [
            "Account 25",
            "Audit 8",
            "Books 8",
            "Clock 11",
            "Credit 18",
            "Debit 19",
            "Either 11",
            "Entry 11 11 50 54 55 55 58 58",
            "Error 11",
            "Exception 35",
            "F 8 40",
            "IO 47 47",
            "IOException 34",
            "Int 8 25 46 55 58",
            "Ledger 47",
            "List 25 25",
            "Ordering 54",
            "Store 8",
            "String 46",
            "Unit 31 38 50",
        ]
    );
    assert_eq!(facts.signs[Sign::CatchBroad], [33]);
    assert_eq!(facts.signs[Sign::CatchHandled], [33]);
    assert_eq!(facts.todos, [39]);
    assert_eq!(facts.syntax_errors, 0);
    assert_eq!(lines(&facts), (45, 2, 11));
}

#[test]
fn a_test_case_of_munit_is_a_call() {
    let source = "import munit.FunSuite\n\nclass Spec extends FunSuite {\n  test(\"adds\") {\n    assertEquals(add(1), 2)\n  }\n}\n";
    assert_eq!(analyse("src/Spec.scala", source).tests, [4]);
}
