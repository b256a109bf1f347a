//! C#: exact facts of a file written for the purpose, every number counted by hand.

use nyxcore_code_engine::facts::Sign;
use nyxcore_code_engine::references::ReferenceKind;

use crate::notation::{analyse, definitions, imports, lines, references};

const ORDERS: &str = r#"using System;
using static System.Math;
using Json = Newtonsoft.Json;

namespace Shop.Orders;

/// <summary>Keeps orders.</summary>
public sealed class OrderService : ServiceBase, IOrderService<Order>
#if TRACING
    , ITraced
#endif
{
    private const int Limit = 3;
    public static readonly string Name = "orders";
    private readonly IClock _clock;

    public OrderService(IClock clock) : base(clock)
    {
        _clock = clock ?? throw new ArgumentNullException(nameof(clock));
    }

    public string Title { get; set; } = "x";

    public bool IsOpen => _clock.Now > Limit && Title != null;

    public int Count
    {
        get { return _items?.Count ?? 0; }
    }

    /// <summary>Places an order.</summary>
    [Authorize("orders")]
    public async Task<Order> PlaceAsync(Order order, params string[] tags)
    {
        foreach (var line in order.Lines)
        {
            if (line.Price is decimal price && price > 0 || line.IsFree)
            {
                continue;
            }
            else if (tags.Any(tag => tag == "x" && tag != Name))
            {
                throw new OrderException($"bad {line}");
            }
            else
            {
                goto done;
            }
        }
    done:
        var kind = order.Kind switch
        {
            Kind.Small => 1,
            Kind.Large when order.Total > 5 => 2,
            _ => 3,
        };
        try
        {
            return await _store.SaveAsync<Order>(order, kind);
        }
        catch (TimeoutException e) when (e.Retry)
        {
            // TODO: retry
        }
        catch (Exception)
        {
        }
        return order.Total > Limit ? order : null;
    }

    void IDisposable.Dispose() { int Twice(int n) { return n * 2; } Twice(1); }

    public static bool operator ==(OrderService a, OrderService b) => a.Equals(b);
}

public record Line(string Sku, decimal Price);

internal interface IClock { DateTime Now { get; } int Tick(int by); }

enum Kind { Small, Large }

public delegate void Placed(Order order);

[TestFixture]
public class OrderTests
{
    [Test]
    public void Places() { var service = new OrderService(null); Assert.That(service.Count, Is.EqualTo(0)); }
}
"#;

#[test]
fn a_file_of_csharp() {
    let facts = analyse("src/Orders.cs", ORDERS);
    // The constructor: 1 + ?? = 2. IsOpen: 1 + && = 2, cognitive 1. Count: 1 + ?. + ?? = 3.
    // PlaceAsync: 1 + foreach + if + && + || + else if + && + 2 arms + 2 catch + ?: = 12;
    //   cognitive: foreach 1 + if 2 + runs && and || 2 + else if 1 + && 1 + else 1 + goto 1 + switch 1 + catch 1 +
    //   catch 1 + ?: 1 = 13.
    assert_eq!(
        definitions(&facts),
        [
            "class OrderService 8-74 de",
            "constant OrderService.Limit 13-13",
            "constant OrderService.Name 14-14 e",
            "method OrderService.OrderService 17-20 e! 2/0/0/1/4",
            "method OrderService.IsOpen 24-24 e 2/1/0/0/1",
            "method OrderService.Count 28-28 e 3/0/0/0/1",
            "method OrderService.PlaceAsync 33-69 ade 12/13/2/2/37",
            "method OrderService.Dispose 71-71 ! 1/0/0/0/1",
            "function Twice 71-71 1/0/0/1/1",
            "method OrderService.operator == 73-73 e! 1/0/0/2/1",
            "class Line 76-76 e",
            "interface IClock 78-78",
            "method IClock.Tick 78-78",
            "enum Kind 80-80",
            "type Placed 82-82 e",
            "class OrderTests 85-89 et",
            "method OrderTests.Places 88-88 et 1/0/0/0/1",
        ]
    );
    assert_eq!(
        imports(&facts),
        ["System 1", "System.Math 2", "Newtonsoft.Json 3"]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Call),
        [
            "ArgumentNullException 19",
            "Assert.That* 88",
            "Is.EqualTo* 88",
            "OrderException 43",
            "OrderService* 88",
            "Twice 71",
            "_store.SaveAsync 59",
            "a.Equals 73",
            "nameof 19",
            "tags.Any 41",
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Type),
        [
            "Authorize 32",
            "DateTime 78",
            "Exception 65",
            "IClock 15 17",
            "IDisposable 71",
            "IOrderService 8",
            "ITraced 10",
            "Order 8 33 33 59 82",
            "OrderService 73 73",
            "ServiceBase 8",
            "Task 33",
            "Test* 87",
            "TestFixture* 84",
            "TimeoutException 61",
        ]
    );
    assert_eq!(facts.signs[Sign::CatchBroad], [65]);
    assert_eq!(facts.signs[Sign::CatchSpecific], [61]);
    assert_eq!(facts.signs[Sign::CatchEmpty], [65]);
    assert_eq!((&facts.tests[..], &facts.todos[..]), (&[88][..], &[63][..]));
    assert_eq!(facts.syntax_errors, 0);
    assert_eq!(lines(&facts), (72, 3, 14));
}
