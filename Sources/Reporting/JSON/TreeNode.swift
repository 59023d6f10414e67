import Foundation

/// A place in the document that an encoder fills: a value, or a list or object of further places.
final class TreeNode {
    private enum Kind {
        case value(JSONValue)
        case list
        case object
    }

    private var kind = Kind.value(.null)
    private var children: [(name: String, node: TreeNode)] = []

    var value: JSONValue {
        switch kind {
        case .value(let value): value
        case .list: .array(children.map(\.node.value))
        case .object: .object(children.map { JSONValue.Member($0.name, $0.node.value) })
        }
    }

    var count: Int { children.count }

    func set(_ value: JSONValue) { kind = .value(value) }
    func becomeList() { kind = .list }
    func becomeObject() { kind = .object }
    func element() -> TreeNode { member("") }

    func member(_ name: String) -> TreeNode {
        let node = TreeNode()
        children.append((name, node))
        return node
    }

    /// Dates and dictionaries are known here: the one has a promised form, the other's keys are data and keep theirs.
    func fill(with value: some Encodable) throws {
        switch value {
        case let date as Date: set(.text(date.rfc3339))
        case let labels as [String: String]:
            set(.object(labels.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, .text($0.value)) }))
        default: try value.encode(to: TreeEncoder(node: self))
        }
    }
}
