/// The standard library's encoder protocols over a `TreeNode`.
struct TreeEncoder: Encoder {
    let node: TreeNode
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        node.becomeObject()
        return KeyedEncodingContainer(TreeMembers<Key>(node: node))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.becomeList()
        return TreeElements(node: node)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { TreeScalar(node: node) }
}

/// An object's members. `encodeIfPresent` is a requirement of the protocol, so nil can be written as null here, once.
private struct TreeMembers<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: TreeNode
    var codingPath: [any CodingKey] { [] }

    private func member(_ key: Key) -> TreeNode { node.member(ReportEncoder.memberName(key.stringValue)) }

    func encodeNil(forKey key: Key) { member(key).set(.null) }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws { try member(key).fill(with: value) }

    func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try encodeOrNull(value, key) }
    func encodeIfPresent(_ value: String?, forKey key: Key) throws { try encodeOrNull(value, key) }
    func encodeIfPresent(_ value: Double?, forKey key: Key) throws { try encodeOrNull(value, key) }
    func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try encodeOrNull(value, key) }
    func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try encodeOrNull(value, key) }
    func encodeIfPresent<Value: Encodable>(_ value: Value?, forKey key: Key) throws { try encodeOrNull(value, key) }

    private func encodeOrNull(_ value: (some Encodable)?, _ key: Key) throws {
        if let value { try encode(value, forKey: key) } else { encodeNil(forKey: key) }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy keyType: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        TreeEncoder(node: member(key)).container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        TreeEncoder(node: member(key)).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { TreeEncoder(node: node.member("super")) }
    func superEncoder(forKey key: Key) -> any Encoder { TreeEncoder(node: member(key)) }
}

private struct TreeElements: UnkeyedEncodingContainer {
    let node: TreeNode
    var codingPath: [any CodingKey] { [] }
    var count: Int { node.count }

    func encodeNil() { node.element().set(.null) }
    func encode<Value: Encodable>(_ value: Value) throws { try node.element().fill(with: value) }

    func nestedContainer<Nested: CodingKey>(keyedBy keyType: Nested.Type) -> KeyedEncodingContainer<Nested> {
        TreeEncoder(node: node.element()).container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        TreeEncoder(node: node.element()).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { TreeEncoder(node: node.element()) }
}

private struct TreeScalar: SingleValueEncodingContainer {
    let node: TreeNode
    var codingPath: [any CodingKey] { [] }

    func encodeNil() { node.set(.null) }
    func encode(_ value: Bool) { node.set(.boolean(value)) }
    func encode(_ value: String) { node.set(.text(value)) }
    func encode<Value: BinaryFloatingPoint & Encodable>(_ value: Value) { node.set(.number(Double(value))) }

    func encode<Value: BinaryInteger & Encodable>(_ value: Value) throws {
        guard let integer = Int64(exactly: value) else {
            throw EncodingError.invalidValue(
                value, EncodingError.Context(codingPath: [], debugDescription: "\(value) does not fit 64 bits"))
        }
        node.set(.integer(integer))
    }

    func encode<Value: Encodable>(_ value: Value) throws { try node.fill(with: value) }
}
