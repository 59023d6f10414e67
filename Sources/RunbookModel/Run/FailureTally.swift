/// How many tenants have failed since a run began, and how many of them alike.
package struct FailureTally: Sendable, Hashable {
    /// Those whose job is failed or unknown.
    package private(set) var failed = 0
    /// By what they have in common.
    package private(set) var alike: [String: Int] = [:]

    package init() {}

    /// - Parameter cause: what the failures have in common with others; nil for one that is like no other.
    package mutating func add(_ cause: String?, _ count: Int = 1) {
        failed += count
        if let cause { alike[cause, default: 0] += count }
    }

    /// The commonest failure; of equally common ones the first by name.
    package var commonest: (cause: String, count: Int)? {
        alike.min { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }
}
