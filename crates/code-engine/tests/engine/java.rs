//! Java: exact facts of a file written for the purpose, every number counted by hand.

use nyxcore_code_engine::references::ReferenceKind;

use crate::notation::{analyse, definitions, imports, lines, references};

const SOURCE: &str = r##"package com.example;

import java.util.List;
import static java.util.Map.entry;
import com.example.model.*;

/** A store. */
@Component("store")
public class Store<T extends Item> extends Base<T> implements Closeable, Sink {
    public static final int LIMIT = Defaults.LIMIT;
    private final Client client;

    @Inject
    public Store(Client client) { super(client); this.client = client; }

    /** Gets. TODO: fewer */
    @Override
    public List<T> get(int a, String... rest) throws IOException {
        if (a > 0 && (rest != null && ready) || a == LIMIT) {
            outer:
            for (String one : rest) {
                switch (one) {
                    case "a":
                    case Names.B: return a > 1 ? items : List.of();
                    default: break outer;
                }
            }
        } else if (a < 0) {
            do { a++; } while (a < 0);
        } else {
            run(() -> { if (check(a > 1 && a < 5)) { log.warn("x"); } });
        }
        try (Reader in = open(rest)) {
            while (in.ready()) { in.read(); }
        } catch (IOException | Timeout e) {
            if (e.code == 1) { throw new Failure(e); }
        } catch (Exception e) { }
        Object x = new Supplier<T>() { public T get() { return null; } };
        return map(Item::name).collect(this.client.collector());
    }

    enum Colour { RED, GREEN }
    interface Inner { void run(); default int size() { return 0; } }
    record Pair(Item left, Item right) { }
    @interface Mark { String value() default ""; }
    @Test void works() { assertTrue(client instanceof Local local && local.open); }
}
"##;

#[test]
fn definitions_complexity_and_lines_are_those_counted_by_hand() {
    let facts = analyse("src/Store.java", SOURCE);
    // The cyclomatic of `get`: 1, if, two `&&`, `||`, for, two cases, ternary, else if, do, the lambda's if and `&&`,
    // while, catch, if, catch = 17. Cognitive: if 1, `&& &&` 1, `||` 1, for 2, switch 3, ternary 4, break to a label 1,
    // else if 1, do 2, else 1, the lambda's if 3 and `&&` 1, while 1, catch 1, if 2, catch 1 = 26.
    assert_eq!(
        definitions(&facts),
        [
            "class Store 9-47 de",
            "constant Store.LIMIT 10-10 e",
            "method Store.Store 14-14 e! 1/0/0/1/1",
            "method Store.get 18-40 de! 17/26/3/2/23",
            "method get 38-38 1/0/0/0/1",
            "enum Store.Colour 42-42",
            "interface Store.Inner 43-43",
            "method Inner.run 43-43",
            "method Inner.size 43-43 1/0/0/0/1",
            "class Store.Pair 44-44",
            "interface Store.Mark 45-45",
            "method Mark.value 45-45",
            "method Store.works 46-46 t 2/1/0/0/1"
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
    assert_eq!(lines(&facts), (40, 2, 5));
    assert_eq!(facts.todos, [16]);
    assert_eq!(facts.tests, [46]);
    assert_eq!(facts.syntax_errors, 0);
}

#[test]
fn imports_and_references_are_those_read_by_hand() {
    let facts = analyse("src/Store.java", SOURCE);
    assert_eq!(
        imports(&facts),
        [
            "java.util.List 3",
            "java.util.Map.entry 4",
            "com.example.model 5"
        ]
    );
    // What follows a call or an index has no name before it.
    assert_eq!(
        references(&facts, ReferenceKind::Call),
        [
            ".collect 39",
            "Failure 36",
            "List.of 24",
            "Supplier 38",
            "assertTrue 46",
            "check 31",
            "in.read 34",
            "in.ready 34",
            "log.warn 31",
            "map 39",
            "open 33",
            "run 31",
            "this.client.collector 39"
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Type),
        [
            "Base 9",
            "Client 11 14",
            "Closeable 9",
            "Exception 37",
            "IOException 18 35",
            "Item 9 44 44",
            "List 18",
            "Local 46",
            "Object 38",
            "Reader 33",
            "Sink 9",
            "String 18 21 45",
            "T 9 18 38 38",
            "Timeout 35"
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Name),
        [
            "Component 8",
            "Defaults.LIMIT 10",
            "Inject 13",
            "Item.name 39",
            "LIMIT 19",
            "Names.B 24",
            "Override 17",
            "Test 46",
            "a 19 19 24 28 29 29 31 31",
            "client 14 14 46",
            "e 36",
            "e.code 36",
            "items 24",
            "java.util.List 3",
            "java.util.Map.entry 4",
            "local.open 46",
            "one 22",
            "ready 19",
            "rest 19 21 33",
            "this.client 14"
        ]
    );
}
