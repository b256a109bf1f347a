//! Kotlin: exact facts of a file written for the purpose, every number counted by hand.

use nyxcore_code_engine::facts::Sign;
use nyxcore_code_engine::references::ReferenceKind;

use crate::notation::{analyse, definitions, imports, lines, references};

const FEED: &str = r#"package app.feed

import app.net.Client
import kotlinx.coroutines.*
import java.io.File as JFile

/** Loads the feed. */
class FeedLoader(
    private val client: Client,
    val limit: Int = DEFAULT,
) : Loader<Item>(client), Closeable {
    companion object {
        const val DEFAULT = 20
        fun create(): FeedLoader = FeedLoader(Client())
    }

    val size: Int
        get() = if (items.isEmpty()) 0 else items.size

    /** Loads one page. */
    suspend fun load(page: Int, vararg tags: String): List<Item> {
        val body = client.get(page)?.body ?: return emptyList()
        outer@ for (tag in tags) {
            while (body.ready && limit > 0 || page == 1) {
                if (tag == "stop") {
                    break@outer
                } else if (tag.isBlank()) {
                    continue
                } else {
                    log(tag)
                }
            }
        }
        return when (page) {
            0, 1 -> body.items
            in 2..9 -> body.items.filter { it.ok && it.size > 1 }
            else -> {
                TODO("more") // FIXME
            }
        }
    }

    override fun close() {
        try {
            client.close()
        } catch (e: IOException) {
            log("closed")
        } catch (e: Exception) {
        }
    }

    private fun String.shout(n: Int) = repeat(n) { uppercase() }
}

data class Item(val name: String)

sealed interface State

enum class Level { Low, High; fun next() = Level.High }

object Registry {
    internal val listener = object : Listener {
        override fun on(event: Event) = Unit
    }
}

typealias Handler = (Event) -> Unit

interface Loader<T> {
    fun reload(): T
}

class FeedTest {
    @Test
    fun `loads one page`() = runTest {
        assertEquals(1, FeedLoader(fake()).load(1).size)
    }
}
"#;

#[test]
fn a_file_of_kotlin() {
    let facts = analyse("src/Feed.kt", FEED);
    // size: 1 + if = 2; cognitive: if 1 + else 1 = 2.
    // load: 1 + ?: + for + while + && + || + if + else if + 2 of the 3 entries + && in the lambda = 11;
    //   cognitive: for 1 + while 2 + && 1 + || 1 + if 3 + break@outer 1 + else if 1 + else 1 + when 1 + && 1 = 13;
    //   nesting: for, while, if.
    assert_eq!(
        definitions(&facts),
        [
            "class FeedLoader 8-53 de",
            "constant FeedLoader.DEFAULT 13-13 e",
            "method FeedLoader.create 14-14 e 1/0/0/0/1",
            "method FeedLoader.size 18-18 e 2/2/1/0/1",
            "method FeedLoader.load 21-41 ade 11/13/3/2/21",
            "method FeedLoader.close 43-50 e! 3/2/1/0/8",
            "method FeedLoader.shout 52-52 1/0/0/1/1",
            "class Item 55-55 e",
            "interface State 57-57 e",
            "enum Level 59-59 e",
            "method Level.next 59-59 e 1/0/0/0/1",
            "class Registry 61-65 e",
            "method on 63-63 ! 1/0/0/1/1",
            "type Handler 67-67 e",
            "interface Loader 69-71 e",
            "method Loader.reload 70-70 e",
            "class FeedTest 73-78 e",
            "method FeedTest.loads one page 75-77 et 1/0/0/0/3",
        ]
    );
    assert_eq!(
        imports(&facts),
        ["app.net.Client 3", "kotlinx.coroutines 4", "java.io.File 5"]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Call),
        [
            ".load* 76",
            "Client 14",
            "FeedLoader 14",
            "FeedLoader* 76",
            "TODO 38",
            "assertEquals* 76",
            "body.items.filter 36",
            "client.close 45",
            "client.get 22",
            "emptyList 22",
            "fake* 76",
            "items.isEmpty 18",
            "log 30 47",
            "repeat 52",
            "runTest* 75",
            "tag.isBlank 27",
            "uppercase 52",
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Type),
        [
            "Client 9",
            "Closeable 11",
            "Event 63 67",
            "Exception 48",
            "FeedLoader 14",
            "IOException 46",
            "Int 10 17 21 52",
            "Item 11 21",
            "List 21",
            "Listener 62",
            "Loader 11",
            "String 21 52 55",
            "T 70",
            "Test* 74",
            "Unit 67",
        ]
    );
    assert_eq!(facts.signs[Sign::CatchBroad], [48]);
    assert_eq!(facts.signs[Sign::CatchEmpty], [48]);
    assert_eq!((&facts.tests[..], &facts.todos[..]), (&[75][..], &[38][..]));
    assert_eq!(facts.syntax_errors, 0);
    assert_eq!(lines(&facts), (63, 2, 13));
}

#[test]
fn a_test_case_of_kotest_is_a_call() {
    let source = "import io.kotest.core.spec.style.FunSpec\n\nclass Spec : FunSpec({\n    test(\"adds\") {\n        add(1)\n    }\n})\n";
    assert_eq!(analyse("src/Spec.kt", source).tests, [4]);
}
