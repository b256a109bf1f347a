//! Swift: exact facts of a file written for the purpose, every number counted by hand.

use nyxcore_code_engine::facts::Sign;
use nyxcore_code_engine::references::ReferenceKind;

use crate::notation::{analyse, definitions, imports, lines, references};

const LOADER: &str = r#"import Foundation
import class UIKit.UIView
@testable import Core

let retryLimit = 3
typealias Handler = (Result<Data, Error>) -> Void

/// Loads things.
public protocol Loading: AnyObject {
    associatedtype Output
    var isBusy: Bool { get }
    func load(from url: URL) async throws -> Output
}

public enum LoadError: Error {
    case offline, refused(code: Int)
    indirect case wrapped(LoadError)

    var code: Int? {
        switch self {
        case .offline, .wrapped:
            return nil
        case .refused(let code) where code > 0:
            return code
        default:
            return 0
        }
    }
}

/** Remembers. */
@MainActor
open class Loader<Key: Hashable>: NSObject, Loading {
    static let shared = Loader<String>()
    public private(set) var count: Int = 0 {
        didSet { if count > retryLimit { reset() } }
    }
    private lazy var session: URLSession = { URLSession(configuration: .default) }()

    // TODO: drop
    public init?(key: Key?, limit: Int = 3) {
        guard let key = key, limit > 0 || key.isValid else { return nil }
        super.init()
    }

    deinit { reset() }

    /// Loads one.
    @discardableResult
    public func load(from url: URL) async throws -> Data {
        if case .file = url.kind, let cached = cache[url] {
            return cached
        } else if let known = known?[url] {
            return known
        } else {
            outer: for attempt in 0..<retryLimit where attempt >= 0 {
                do {
                    let (data, _) = try await session.data(from: url)
                    return try decode(data) ?? data
                } catch let error as URLError {
                    log("failed: \(error)")
                    continue outer
                } catch {}
            }
        }
        return url.isFileURL && !url.path.isEmpty ? Data() : try fallback(url)!
    }

    override func reset() {
        repeat { count -= 1 } while count > 0
        while let next = queue.popFirst() {
            next.handlers
                .filter { $0.isReady && $0.isOpen }
                .forEach { handler in
                    if handler.isLast { finish(handler) }
                }
        }
        #if DEBUG
        debugPrint(self)
        #endif
    }

    subscript(key: Key) -> Data? {
        get { key.isEmpty ? nil : cache[key] }
        set { cache[key] = newValue }
    }

    static func == (lhs: Loader, rhs: Loader) -> Bool { lhs === rhs }
}

extension Loader where Key == String {
    public struct Options: Codable {
        let retries: Int
    }
    func warm() {
        func step(_ index: Int) -> Bool { index > 0 }
        _ = step(1)
    }
}

fileprivate func fallback(_ url: URL) -> Data? { nil }
"#;

#[test]
fn a_file_of_swift() {
    let facts = analyse("Sources/Loader.swift", LOADER);
    // code: 1 + two cases = 3; cognitive: switch 1.
    // init: 1 + guard + || = 3; cognitive: guard 1 + run 1.
    // load: 1 + if + case + else if + for + two `catch` + && + ?: = 9;
    //   cognitive: if 1, else if 1, else 1, for 2, catch 3, `continue outer` 1, catch 3, run 1, ?: 1 = 14; nesting: if,
    //   for, do.
    // reset: 1 + repeat + while + && + if = 5; cognitive: repeat 1, while 1, run 1, if in a closure in a loop 3 = 6;
    // nesting: while, if. subscript: 1 + ?: = 2.
    assert_eq!(
        definitions(&facts),
        [
            "constant retryLimit 5-5",
            "type Handler 6-6",
            "interface Loading 9-13 de",
            "method Loading.load 12-12 ae",
            "enum LoadError 15-29 e",
            "method LoadError.code 19-28 3/1/1/0/10",
            "class Loader 33-89 de",
            "constant Loader.shared 34-34",
            "method Loader.init 41-44 e! 3/2/1/2/4",
            "method Loader.deinit 46-46 ! 1/0/0/0/1",
            "method Loader.load 50-67 ade 9/14/3/1/18",
            "method Loader.reset 69-81 ! 5/6/2/0/13",
            "method Loader.subscript 83-86 ! 2/1/0/1/4",
            "method Loader.== 88-88 ! 1/0/0/2/1",
            "struct Loader.Options 92-94 e",
            "method Loader.warm 95-98 1/0/0/0/4",
            "function step 96-96 1/0/0/1/1",
            "function fallback 101-101 1/0/0/1/1",
        ]
    );
    // `didSet` with its `if`, and the closure that makes the session.
    assert_eq!(
        (facts.anonymous.functions, facts.anonymous.cyclomatic),
        (2, 3)
    );
    assert_eq!(
        imports(&facts),
        ["Foundation 1", "UIKit.UIView 2", "Core 3"]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Type),
        [
            "AnyObject 9",
            "Bool 11 88 96",
            "Codable 92",
            "Data 6 50 83 101",
            "Error 6 15",
            "Hashable 33",
            "Int 16 19 35 41 93 96",
            "Key 41 83",
            "LoadError 17",
            "Loader 88 88 91",
            "Loading 33",
            "MainActor 32",
            "NSObject 33",
            "Output 12",
            "Result 6",
            "String 34 91",
            "URL 12 50 101",
            "URLError 60",
            "URLSession 38",
            "Void 6",
            "discardableResult 49",
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Call),
        [
            ".forEach 74",
            "Data 66",
            "Loader 34",
            "URLSession 38",
            "debugPrint 79",
            "decode 59",
            "fallback 66",
            "finish 75",
            "log 61",
            "next.handlers.filter 72",
            "queue.popFirst 71",
            "reset 36 46",
            "session.data 58",
            "step 97",
            "super.init 43",
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Name),
        [
            "$0.isOpen 73",
            "$0.isReady 73",
            "Key 91",
            "attempt 56",
            "cache 51 84 85",
            "cached 52",
            "code 23 24",
            "count 36 70 70",
            "data 59 59",
            "default 38",
            "error 61",
            "file 51",
            "handler 75",
            "handler.isLast 75",
            "index 96",
            "key 42 84 85",
            "key.isEmpty 84",
            "key.isValid 42",
            "known 53 54",
            "lhs 88",
            "limit 42",
            "newValue 85",
            "offline 21",
            "refused 23",
            "retryLimit 36 56",
            "rhs 88",
            "url 51 53 58 66",
            "url.isFileURL 66",
            "url.kind 51",
            "url.path.isEmpty 66",
            "wrapped 21",
        ]
    );
    assert_eq!(facts.todos, [40]);
    assert_eq!(lines(&facts), (84, 4, 13));
    assert_eq!(facts.signs.get(Sign::CatchSpecific), Some(&[60][..]));
    assert_eq!(facts.signs.get(Sign::CatchEmpty), Some(&[63][..]));
    assert_eq!(facts.signs.get(Sign::CatchBroad), Some(&[63][..]));
}

const TESTS: &str = r#"import XCTest
import Testing

final class LoaderTests: XCTestCase {
    override func setUp() { loader = Loader() }

    func testLoads() async throws {
        XCTAssertEqual(try await loader.load(), 1)
    }

    func helper() {}
    func testing(with value: Int) {}
}

@Suite struct CacheTests {
    @Test("keeps what it is given")
    func keeps() { #expect(Cache().count == 0) }
}

@Test func alone() {}
"#;

#[test]
fn tests_of_xctest_and_swift_testing() {
    let facts = analyse("Tests/LoaderTests.swift", TESTS);
    assert_eq!(facts.tests, [7, 17, 20]);
    assert_eq!(
        definitions(&facts),
        [
            "class LoaderTests 4-13 t",
            "method LoaderTests.setUp 5-5 !t 1/0/0/0/1",
            "method LoaderTests.testLoads 7-9 at 1/0/0/0/3",
            "method LoaderTests.helper 11-11 t 1/0/0/0/1",
            "method LoaderTests.testing 12-12 t 1/0/0/1/1",
            "struct CacheTests 15-18 t",
            "method CacheTests.keeps 17-17 t 1/0/0/0/1",
            "function alone 20-20 t 1/0/0/0/1",
        ]
    );
    let calls = references(&facts, ReferenceKind::Call);
    for expected in ["Cache* 17", "Loader* 5", "loader.load* 8"] {
        assert!(
            calls.iter().any(|call| call == expected),
            "{expected} in {calls:?}"
        );
    }
}
