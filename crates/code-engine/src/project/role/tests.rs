//! What the paths of files tell about them.

use super::*;

#[test]
fn a_snapshot_is_the_output_that_a_test_expects() {
    assert!(is_expected_output("Tests/AppTests/Snapshots/Help.bash"));
    assert!(is_expected_output("web/__snapshots__/page.js"));
    assert!(!is_expected_output("src/Snapshots/Store.cs"));
    assert!(!is_expected_output("tests/fixtures/a.js"));
}

#[test]
fn a_stand_in_is_told_by_the_end_of_its_name() {
    assert!(is_stand_in("src/SftpStub.php") && is_stand_in("clock_mock.py"));
    assert!(!is_stand_in("src/Stub.php") && !is_stand_in("src/mockery.py"));
}

#[test]
fn a_path_tells_source_from_tests_fixtures_and_examples() {
    for (path, role) in [
        ("src/client.rs", Role::Source),
        ("src/testimony.py", Role::Source),
        ("tests/api.rs", Role::Test),
        ("pkg/a_test.go", Role::Test),
        ("src/App.test.tsx", Role::Test),
        ("src/test/java/a/B.java", Role::Test),
        ("lib/a_spec.rb", Role::Test),
        ("src/CartTest.php", Role::Test),
        ("AppUITests/Launch.swift", Role::Test),
        ("Sources/Contest.swift", Role::Source),
        ("bin/add.bats", Role::Test),
        ("tests/fixtures/broken.py", Role::Fixture),
        ("internal/testdata/x.go", Role::Fixture),
        ("examples/hello/main.rs", Role::Aside),
        ("benches/parse.rs", Role::Aside),
        ("db/cache_test.cc", Role::Test),
        ("db/contest.cc", Role::Source),
        ("util/testutil.h", Role::Test),
        ("util/testutility.h", Role::Source),
        ("src/Latest.cs", Role::Source),
        ("src/OrderTests.cs", Role::Test),
        ("app/FeedSpec.kt", Role::Test),
        ("okio/src/jvmTest/kotlin/A.kt", Role::Test),
        ("Shop.Tests/Helpers.cs", Role::Test),
        ("core/LedgerSuite.scala", Role::Test),
        ("okio/src/commonTest/kotlin/A.kt", Role::Test),
        ("Src/Shop.Tests/Order.cs", Role::Test),
        ("Tests/App/routes.swift", Role::Test),
        ("lib/order_spec.rb", Role::Test),
        ("src/Contest/Latest.php", Role::Source),
        ("src/AdapterTestUtilities/Retry.php", Role::Test),
        ("Sources/ParserTestHelpers/Snapshot.swift", Role::Test),
        ("Tests/AppTests/Snapshots/Help.bash", Role::Fixture),
        ("test_files/wait_for_ftp.php", Role::Fixture),
        ("src/Ftp/test_files/server.php", Role::Fixture),
        ("src/Snapshots/Store.cs", Role::Source),
        ("src/Snippets/Docs/Retry.cs", Role::Aside),
        ("Example/Source/AppDelegate.swift", Role::Aside),
        ("watchOS Example/App/ContentView.swift", Role::Aside),
        ("src/Shop.Tests.Benchmarks/Program.cs", Role::Aside),
        ("src/Benchmarks.Shop/Program.cs", Role::Source),
        ("core/src/jmh/java/org/acme/RingBenchmark.java", Role::Aside),
        ("src/main/java/org/acme/samples/Owner.java", Role::Source),
        ("src/main/java/com/example/demo/docs/A.java", Role::Source),
        ("app/src/test/java/org/acme/samples/Rig.java", Role::Test),
        ("src/acme/testing/client.py", Role::Source),
        ("packages/testing/src/testing.ts", Role::Source),
        ("packages/testing/src/a.spec.ts", Role::Test),
        ("packages/web/testing/rig.ts", Role::Test),
        ("src/acme/templates/loader.py", Role::Source),
        ("lib/rules/spec/check.js", Role::Source),
        ("src/parts/__tests__/a.ts", Role::Test),
        ("src/parts/test/a.js", Role::Test),
        ("packages/zod/src/v3/benchmarks/ipv4.ts", Role::Aside),
        ("packages/docs/src/a.ts", Role::Aside),
        ("examples/src/lib.rs", Role::Aside),
        ("examples/tutorial/tests/test_a.py", Role::Aside),
        ("examples/src/main/java/a/B.java", Role::Aside),
        ("perf-measures/type-check/client.ts", Role::Aside),
        ("crates/parser/fuzz/src/properties.rs", Role::Aside),
        ("bin/multi_queue_bench", Role::Aside),
        ("src/bench.rs", Role::Source),
        ("src/fuzz/mutate.c", Role::Source),
        ("src/perf_counters/a.c", Role::Source),
        ("src/performance/a.ts", Role::Source),
        ("packages/app/vitest.config.ts", Role::Aside),
        ("src/app.config.py", Role::Source),
        ("src/config.ts", Role::Source),
    ] {
        assert_eq!(of(path), role, "{path}");
    }
}
