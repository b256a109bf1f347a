//! Modifiers and annotations are read from the declaration only, not from comments, annotation arguments or nested
//! annotations. Each source has declarations that look similar but differ.

use crate::notation::analyse;

/// Each definition as `name flags`: `a`synchronous, `e`xported, `!` for a dictated name, `t`est.
fn flags(path: &str, source: &str) -> Vec<String> {
    let facts = analyse(path, source);
    assert_eq!(facts.syntax_errors, 0, "{path} parses");
    let line = |d: &nyxcore_code_engine::facts::Definition| {
        let flags = [
            (d.asynchronous, 'a'),
            (d.exported, 'e'),
            (d.dictated, '!'),
            (d.test, 't'),
        ];
        let flags: String = flags.iter().filter(|f| f.0).map(|f| f.1).collect();
        format!("{} {flags}", d.name).trim_end().to_owned()
    };
    facts.definitions.iter().map(line).collect()
}

#[test]
fn java_modifiers_are_those_of_the_declaration() {
    let source = r#"public class Store {
    @Deprecated(since = "it was public before") private void was() { }
    @Link("a@Test @Override public") void linked() { }
    @Outer(@Test(name = "public static final")) void outer() { }
    @Names({
        "public",
        "static final"
    }) // public static final
    int notLimit = 1;
    @Lazy(() -> " public ") int lazy() { return 1; }
    @Deprecated /* private */ public /* private */ void open() { }
    @java.lang. /* x */ Override
    // private
    public String toString() { return ""; }
    @org.junit.jupiter.api.Test void works() { }
    @Tag("private") public /* x */ static /* y */ final int LIMIT = 1;
    @Note("private")
    public interface Sink {
        @Note("it is private now") void open();
        @Note("x") private void hidden() { }
    }
}
"#;
    assert_eq!(
        flags("src/Store.java", source),
        [
            "Store e",
            "was",
            "linked",
            "outer",
            "lazy",
            "open e",
            "toString e!",
            "works t",
            "LIMIT e",
            "Sink e",
            "open e",
            "hidden"
        ]
    );
}

#[cfg(feature = "kotlin")]
#[test]
fn kotlin_modifiers_are_those_of_the_declaration() {
    let source = r#"package a

class Store : Base() {
    @Deprecated("it was private before") fun was() {}
    @Link("a@Test override operator suspend") fun linked() {}
    @Outer(Inner("internal @Test"), names = ["private"]) fun outer() {}
    @Names(
        "private",
        "const"
    )
    // const
    val notLimit = 1
    @Deprecated("x") /* private */ override /* internal */ suspend fun open() {}
    @Note("public") /* x */ private /* y */ fun hidden() {}
    @org.junit.jupiter.api. /* x */ Test fun works() {}
    @[Test Tag("private")] fun worksToo() {}
    @field:[Inject Named("private @Test")] fun injected() {}
    @Note("override") val total: Int
        @Note("@Test") get() { return 1 }
}

@Note("private")
class Open
"#;
    assert_eq!(
        flags("src/Store.kt", source),
        [
            "Store e",
            "was e",
            "linked e",
            "outer e",
            "open ae!",
            "hidden",
            "works et",
            "worksToo et",
            "injected e",
            "total e",
            "Open e"
        ]
    );
}

#[cfg(feature = "scala")]
#[test]
fn scala_modifiers_are_those_of_the_declaration() {
    let source = r#"class Store extends Base {
  @deprecated("it was private before", "1") def was(): Int = 1
  @Link("a @Test override") def linked(): Int = 1
  @outer(new Test("private")) final def outer(): Int = 1
  final /* private protected */ lazy implicit def seen(): Int = 1
  implicit /* override */ final def also(): Int = 1
  @note("x") override /* private */ final def open(): Int = 1
  private[a] /* x */ final def hidden(): Int = 1
  protected /* x */ final def guarded(): Int = 1
  @org.junit.Test def works(): Unit = ()
  @Test(expected = classOf[Failure]) def worksToo(): Unit = ()
}
"#;
    assert_eq!(
        flags("src/Store.scala", source),
        [
            "Store e",
            "was e",
            "linked e",
            "outer e",
            "seen e",
            "also e",
            "open e!",
            "hidden",
            "guarded",
            "works et",
            "worksToo et"
        ]
    );
}

#[cfg(feature = "swift")]
#[test]
fn swift_modifiers_are_those_of_the_declaration() {
    let source = r#"public class Store: Base {
    @available(*, deprecated, message: "it was public before") func was() {}
    @Link("a @Test public override") func linked() {}
    @Outer(
        "public",
        Test("override")
    ) /* public override */ func outer() {}
    @available(*, deprecated, message: "private") /* private */ public /* private */ override func open() {}
    @Testing. /* x */ Test("private") func works() {}
    @Test(.tags(.slow), arguments: ["public"]) func worksToo() {}
    public private(set) var total: Int { get { 1 } set { } }
    @Wrapped("static") /* static */ let notLimit = 1
    @Wrapped("private") public /* x */ static let limit = 2
}
"#;
    assert_eq!(
        flags("Sources/Store.swift", source),
        [
            "Store e",
            "was",
            "linked",
            "outer",
            "open e!",
            "works t",
            "worksToo t",
            "total e",
            "limit e"
        ]
    );
}

#[cfg(feature = "csharp")]
#[test]
fn csharp_modifiers_are_those_of_the_declaration() {
    let source = r#"public class Store : Base {
    [Obsolete("it was public before")] void Was() { }
    [Link("[Test] public override async")] void Linked() { }
    [Outer(
        "public",
        typeof(Test))]
    // public
    private /* public */ void Outer() { }
    [Obsolete("private")] /* private */ public /* private */ override async Task Open() { }
    [NUnit.Framework. /* x */ TestAttribute, Category("private")] public void Works() { }
    [global::Xunit.Fact] public void WorksToo() { }
    [TestCase<int>(1)] public void WorksForAType() { }
    [Generic<Test>] public void Generic() { }
    [return: Property] public int Returned() => 1;
}
"#;
    assert_eq!(
        flags("src/Store.cs", source),
        [
            "Store e",
            "Was",
            "Linked",
            "Outer",
            "Open ae!",
            "Works et",
            "WorksToo et",
            "WorksForAType et",
            "Generic e",
            "Returned e"
        ]
    );
}

#[cfg(feature = "php")]
#[test]
fn php_modifiers_are_those_of_the_declaration() {
    let source = r#"<?php
class StoreTest extends TestCase {
    #[DataProvider("Test")]
    public function linked() { }
    #[Link("Override", new Test(), Test::class)]
    private /* public */ function outer() { }
    /** @testdox Says what it does. */
    public function described() { }
    #[PHPUnit\Framework\Attributes\Test, Group("private")]
    public function works() { }
    #[Group("private")] #[Test]
    public /* private */ final function worksToo() { }
    /**
     * @test
     */
    public function says() { }
    #[\Override]
    // private
    public function open() { }
    #[Note("private")] const LIMIT = 1;
    private const HIDDEN = 1;
}
"#;
    assert_eq!(
        flags("tests/StoreTest.php", source),
        [
            "StoreTest et",
            "linked et",
            "outer t",
            "described et",
            "works et",
            "worksToo et",
            "says et",
            "open e!t",
            "LIMIT et",
            "HIDDEN t"
        ]
    );
    // Everything in the class is test code; these are its test cases.
    assert_eq!(analyse("tests/StoreTest.php", source).tests, [10, 12, 16]);
}

#[test]
fn rust_modifiers_are_those_of_the_item() {
    let source = r#"#[cfg(all(unix, feature = "a,test"))]
fn not_a_test() {}
#[cfg(any(test, feature = "testing"))]
fn for_others_too() {}
#[cfg(all(test, not(feature = "any(")))]
fn for_tests() {}
#[ /* x */ test]
fn works() {}
#[tokio::test(flavor = "x")]
async fn works_too() {}
#[note(test)]
#[note = "test"]
extern "C async" fn foreign() {}
pub(crate) fn inside() {}
pub /* (crate) */ const /* async */ unsafe fn open() {}
"#;
    assert_eq!(
        flags("src/store.rs", source),
        [
            "not_a_test",
            "for_others_too",
            "for_tests t",
            "works t",
            "works_too at",
            "foreign",
            "inside",
            "open e"
        ]
    );
}

#[test]
fn a_doc_attribute_documents_unless_it_only_sets_options() {
    let source = r#"#[doc = "A hidden gem."]
pub fn gem() {}
#[doc(hidden)]
pub fn hidden() {}
"#;
    let facts = analyse("src/gem.rs", source);
    let documented: Vec<bool> = facts.definitions.iter().map(|d| d.documented).collect();
    assert_eq!(documented, [true, false]);
}
