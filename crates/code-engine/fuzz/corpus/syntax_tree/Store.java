package com.example;

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
