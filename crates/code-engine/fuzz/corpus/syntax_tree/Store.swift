import Foundation
public final class Store<T>: Base, Sink {
    private let items: [T] = []
    public func get(_ a: Int, rest: String...) async throws -> T? {
        guard a > 0, let first = items.first else { return nil }
        for r in rest where r != "" { switch r { case "a": break; default: try await fetch(r) } }
        return items.isEmpty ? nil : first
    }
}
