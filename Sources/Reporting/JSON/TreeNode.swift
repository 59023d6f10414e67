import FoundationEssentials

/// A place in the document that an encoder fills: a value, or a list or object of further places.
final class TreeNode {
    private enum Kind {
        case value(JSONValue)
        case list
        case object
        /// A long list whose elements are encoded when they are written.
        case deferred(any LongList)
    }

    /// From so many elements on a list is long.
    private static let long = 256

    private var kind = Kind.value(.null)
    private var children: [(name: String, node: TreeNode)] = []
    /// Whether long lists wait until they are written.
    private let isDeferring: Bool

    init(isDeferring: Bool = false) {
        self.isDeferring = isDeferring
    }

    var value: JSONValue {
        switch kind {
        case .value(let value): value
        case .list: .array(children.map(\.node.value))
        case .object: .object(children.map { JSONValue.Member($0.name, $0.node.value) })
        case .deferred: preconditionFailure("what is deferred is written, not taken as a value")
        }
    }

    var count: Int { children.count }

    func set(_ value: JSONValue) { kind = .value(value) }
    func becomeList() { kind = .list }
    func becomeObject() { kind = .object }
    func element() -> TreeNode { member("") }

    func member(_ name: String) -> TreeNode {
        let node = TreeNode(isDeferring: isDeferring)
        children.append((name, node))
        return node
    }

    /// Dates and dictionaries are known here: the one has a promised form, the other's keys are data and keep theirs.
    func fill(with value: some Encodable) throws {
        switch value {
        case let date as Date: set(.text(date.rfc3339))
        case let labels as [String: String]:
            set(.object(labels.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, .text($0.value)) }))
        case let list as any LongList where isDeferring && list.count >= Self.long: kind = .deferred(list)
        default: try value.encode(to: TreeEncoder(node: self))
        }
    }

    /// Writes as `JSONValue` would; hands the text on whenever some of a long list has come together.
    func write(to text: inout String, indentation: Int?, flush: (String) -> Void) throws {
        switch kind {
        case .value(let value): value.write(to: &text, indentation: indentation)
        case .list, .object:
            var isObject = false
            if case .object = kind { isObject = true }
            try writeItems(children.count, isObject ? "{" : "[", isObject ? "}" : "]", to: &text, indentation) {
                index, text, indentation in
                if isObject {
                    JSONValue.quote(children[index].name, to: &text)
                    text += indentation == nil ? ":" : ": "
                }
                try children[index].node.write(to: &text, indentation: indentation, flush: flush)
            }
        case .deferred(let list):
            try writeItems(list.count, "[", "]", to: &text, indentation) { index, text, indentation in
                let node = TreeNode(isDeferring: true)
                try list.fill(node, index)
                try node.write(to: &text, indentation: indentation, flush: flush)
                guard text.utf8.count > 1 << 16 else { return }
                flush(text)
                text = ""
            }
        }
    }

    private func writeItems(
        _ count: Int, _ opening: String, _ closing: String, to text: inout String, _ indentation: Int?,
        _ write: (Int, inout String, Int?) throws -> Void
    ) throws {
        text += opening
        for index in 0..<count {
            if index > 0 { text += "," }
            if let indentation { JSONValue.breakLine(&text, indentation + 1) }
            try write(index, &text, indentation.map { $0 + 1 })
        }
        if let indentation, count > 0 { JSONValue.breakLine(&text, indentation) }
        text += closing
    }
}

/// A list of which one element at a time can be encoded.
private protocol LongList {
    var count: Int { get }
    func fill(_ node: TreeNode, _ index: Int) throws
}

extension Array: LongList where Element: Encodable {
    fileprivate func fill(_ node: TreeNode, _ index: Int) throws { try node.fill(with: self[index]) }
}
