//! PHP: exact facts of a file written for the purpose, every number counted by hand.

use nyxcore_code_engine::facts::Sign;
use nyxcore_code_engine::references::ReferenceKind;

use crate::notation::{analyse, definitions, imports, lines, references};

const CART: &str = r#"<!DOCTYPE html>
<p>TODO outside
<?php
declare(strict_types=1);

namespace App\Cart;

use App\Model\{Item, Order as Placed};
use Psr\Log\LoggerInterface;
use function App\money;

require_once __DIR__ . '/helpers.php';
require 'vendor.php';

const RATE = 19;
define('MODE', 'fast');

/** What can be counted. */
interface Countable2 extends \Countable
{
    public const NONE = 0;

    public function total(?string $currency = null): int;
}

trait Logs
{
    private ?LoggerInterface $logger = null;

    abstract protected function channel(): string;
}

enum Status: string
{
    case Open = 'open';
    case Paid = 'paid';

    public function label(): string
    {
        return match ($this) {
            self::Open, self::Paid => 'known',
            default => 'unknown',
        };
    }
}

/**
 * A cart. FIXME: split
 */
#[Entity(table: 'carts')]
final class Cart extends Model implements Countable2
{
    use Logs;

    private const MAX = 100;

    public function __construct(
        private readonly Repository $items,
        protected int ...$rates,
    ) {
    }

    /** Adds it up. */
    #[Pure]
    public function total(?string $currency = null): int
    {
        $sum = 0;
        foreach ($this->items->all() as $key => $item) {
            if ($item instanceof Item && $item->price > self::MAX || $key < 0) {
                continue;
            } elseif ($item->free()) {
                $sum += $currency ? 1 : 0;
            } else if ($item === null) {
                break;
            } else {
                for ($i = 0; $i < 3; $i++) {
                    while (true) {
                        continue 2;
                    }
                }
            }
        }
        return money($sum ?: 0) ?? $this->fallback()->value;
    }

    protected static function price(Item|null $item, &$out): ?float
    {
        try {
            do {
                $out = $item?->price();
            } while ($out === false);
        } catch (NotFound | \App\Gone $e) {
            throw new CartException('gone', 1, $e);
        } catch (\Throwable) {
        } finally {
            \strlen('x');
        }
        switch ($out) {
            case 1:
            case 2:
                return 1.0;
            default:
                return null;
        }
    }

    private function sorted(array $items): array
    {
        usort($items, function (Item $a, Item $b) {
            return $a->price and $b->price ? 1 : -1;
        });
        return array_map(fn ($item) => $item->price ?? RATE, $items);
    }
}

function cart(): Cart
{
    return new Cart(new \App\Repository(), Status::Open);
}

$handler = function ($request) {
    return $request ? cart() : null;
};
?>
<b><?= $total ?></b>
"#;

#[test]
fn a_file_of_php() {
    let facts = analyse("src/Cart.php", CART);
    // label: 1 + one arm; cognitive: match 1. total: 1 + foreach + if + && + || + elseif + ?: + else if + for + while =
    // 10; `?:` without a middle, `??` and `?Type` are none;
    //   cognitive: foreach 1, if 2, runs 2, elseif 1, ?: 3, else if 1, else 1, for 3, while 4, `continue 2` 1 = 19;
    //   nesting: foreach, if, for, while.
    // price: 1 + do + two `catch` + two `case` = 6; cognitive: do 1 + catch 1 + catch 1 + switch 1 = 4; nesting: try,
    // do. sorted: 1 + and + ?: = 3, both in the closure; cognitive: run 1 + ?: 2 = 3.
    assert_eq!(
        definitions(&facts),
        [
            "constant RATE 15-15 e",
            "constant MODE 16-16 e",
            "interface Countable2 19-24 de",
            "constant Countable2.NONE 21-21 e",
            "method Countable2.total 23-23 e",
            "trait Logs 26-31 e",
            "method Logs.channel 30-30",
            "enum Status 33-45 e",
            "method Status.label 38-44 e 2/1/1/0/7",
            "class Cart 51-114 de",
            "constant Cart.MAX 55-55",
            "method Cart.__construct 57-61 e! 1/0/0/2/5",
            "method Cart.total 65-84 de 10/19/4/1/20",
            "method Cart.price 86-105 6/4/2/2/20",
            "method Cart.sorted 107-113 3/3/0/1/7",
            "function cart 116-119 e 1/0/0/0/4",
        ]
    );
    // The closure outside functions: 1 + ?:.
    assert_eq!(
        (facts.anonymous.functions, facts.anonymous.cyclomatic),
        (1, 2)
    );
    assert_eq!(
        imports(&facts),
        [
            "App\\Model\\Item 8",
            "App\\Model\\Order 8",
            "Psr\\Log\\LoggerInterface 9",
            "App\\money 10",
            "./helpers.php 12",
            "vendor.php 13",
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Type),
        [
            "App.Gone 92",
            "Cart 116",
            "Countable 19",
            "Countable2 51",
            "Entity 50",
            "Item 69 86 109 109",
            "LoggerInterface 28",
            "Logs 53",
            "Model 51",
            "NotFound 92",
            "Pure 64",
            "Repository 58",
            "Throwable 94",
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Call),
        [
            "$item.free 71",
            "$item.price 90",
            "$this.fallback 83",
            "$this.items.all 68",
            "App.Repository 118",
            "Cart 118",
            "CartException 93",
            "array_map 112",
            "cart 122",
            "define 16",
            "money 83",
            "strlen 96",
            "usort 109",
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Name),
        [
            "$a.price 110",
            "$b.price 110",
            "$item.price 69 112",
            ".value 83",
            "RATE 112",
            "Status.Open 118",
            "self.MAX 69",
            "self.Open 41",
            "self.Paid 41",
        ]
    );
    // The page around the script is not code, so its words are not to-do comments.
    assert_eq!(facts.todos, [48]);
    assert_eq!(lines(&facts), (100, 7, 18));
    assert_eq!(facts.signs.get(Sign::CatchSpecific), Some(&[92][..]));
    assert_eq!(facts.signs.get(Sign::CatchBroad), Some(&[94][..]));
    assert_eq!(facts.signs.get(Sign::CatchEmpty), Some(&[94][..]));
}

const TESTS: &str = r#"<?php

use PHPUnit\Framework\TestCase;

final class CartTest extends TestCase
{
    protected function setUp(): void
    {
        $this->cart = new Cart();
    }

    public function testTotal(): void
    {
        $this->assertSame(0, $this->cart->total());
    }

    #[Test]
    public function adds_up(): void {}

    /** @test */
    public function it_is_empty(): void {}

    /** Helps. */
    private function helper(): void {}
}

describe('cart', function () {
    it('adds', function () {
        expect(cart()->total())->toBe(0);
    });
});

test('empty', fn () => expect(true)->toBeTrue());
"#;

#[test]
fn tests_of_phpunit_and_pest() {
    let facts = analyse("tests/CartTest.php", TESTS);
    assert_eq!(facts.tests, [12, 18, 21, 28, 33]);
    assert_eq!(
        definitions(&facts),
        [
            "class CartTest 5-25 et",
            "method CartTest.setUp 7-10 !t 1/0/0/0/4",
            "method CartTest.testTotal 12-15 et 1/0/0/0/4",
            "method CartTest.adds_up 18-18 et 1/0/0/0/1",
            "method CartTest.it_is_empty 21-21 det 1/0/0/0/1",
            "method CartTest.helper 24-24 dt 1/0/0/0/1",
        ]
    );
    let calls = references(&facts, ReferenceKind::Call);
    for expected in ["$this.cart.total* 14", "cart* 29"] {
        assert!(
            calls.iter().any(|call| call == expected),
            "{expected} in {calls:?}"
        );
    }
}
