import RunbookModel

/// A value of the manifest with its path: what it must be is asked here, and what it is not is reported here.
///
/// Every question answers nil after it has reported why.
struct ManifestField {
    let node: JSONNode
    let path: String
    let log: DiagnosticLog

    func report(_ message: String, remedy: String? = nil) {
        log.report(message, at: node.range.lowerBound, path: path, remedy: remedy)
    }

    func warn(_ message: String, remedy: String? = nil) {
        log.warn(message, at: node.range.lowerBound, path: path, remedy: remedy)
    }

    /// The value as it may be shown: variables stand in it unexpanded.
    var shown: String {
        switch node.value {
        case .string(let string): "\"\(string.source)\""
        case .number(let spelling): spelling
        case .boolean(let value): value ? "true" : "false"
        case .null, .array, .object, .broken: node.value.kind
        }
    }

    func mismatch(_ wanted: String, remedy: String? = nil) {
        if case .broken = node.value { return }
        report("expected \(wanted), found \(node.value.kind)", remedy: remedy)
    }

    /// Whether variables left nothing here: then the field counts as absent.
    var isEmptied: Bool {
        guard case .string(let string) = node.value else { return false }
        return string.text.isEmpty && string.isExpanded
    }

    /// Refuses a section whose feature is not built, unless it asks for nothing.
    func refuseUnlessEmpty() {
        switch node.value {
        case .array(let elements) where elements.isEmpty: break
        case .object(let members) where members.isEmpty: break
        default: report("not supported yet", remedy: "leave it out")
        }
    }
}

// MARK: - Scalars

extension ManifestField {
    /// Text that is not empty and holds no NUL.
    func text() -> String? {
        guard case .string(let string) = node.value else {
            switch node.value {
            case .number(let spelling): mismatch("text", remedy: "write \"\(spelling)\"")
            case .null: mismatch("text", remedy: "leave the key out")
            default: mismatch("text")
            }
            return nil
        }
        guard !string.text.isEmpty else {
            report("is empty")
            return nil
        }
        guard !string.text.utf8.contains(0) else {
            report("holds a NUL character")
            return nil
        }
        return string.text
    }

    /// Text on one line: no control characters.
    func line() -> String? {
        guard let text = text() else { return nil }
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
        report("holds a control character, such as a line end")
        return nil
    }

    /// Text that follows a rule for names.
    func name(_ rule: NameRule) -> String? {
        guard let text = text() else { return nil }
        guard let problem = rule.problem(text) else { return text }
        report("\(shown) is no \(rule.noun)", remedy: problem)
        return nil
    }

    func boolean() -> Bool? {
        switch node.value {
        case .boolean(let value): return value
        case .string(let string) where string.isExpanded && string.text == "true": return true
        case .string(let string) where string.isExpanded && string.text == "false": return false
        case .string(let string) where string.text == "true" || string.text == "false":
            mismatch("true or false", remedy: "leave the quotes out")
        default: mismatch("true or false")
        }
        return nil
    }

    func integer(in range: ClosedRange<Int>) -> Int? {
        guard let value = spelledInteger() else { return nil }
        guard range.contains(value) else {
            report("\(shown) is out of range", remedy: "from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    private func spelledInteger() -> Int? {
        switch node.value {
        case .number(let spelling):
            if let value = JSONNumber.integer(spelling) { return value }
            report("\(spelling) is no whole number")
        case .string(let string) where string.isExpanded:
            if let value = Int(string.text) { return value }
            report("\(shown) is no whole number")
        case .string(let string) where Int(string.text) != nil:
            mismatch("a whole number", remedy: "leave the quotes out")
        default: mismatch("a whole number")
        }
        return nil
    }

    /// A duration inside a range.
    func duration(in range: ClosedRange<Duration>) -> Duration? {
        guard case .string(let string) = node.value else {
            mismatch("a duration", remedy: "write it with its unit, such as \"30s\"")
            return nil
        }
        guard let duration = DurationText.parse(string.text) else {
            report("\(shown) is no duration", remedy: "write it as in \"250ms\", \"3s\", \"5m\", \"1h30m\" or \"90d\"")
            return nil
        }
        guard range.contains(duration) else {
            let (low, high) = (DurationText.text(range.lowerBound), DurationText.text(range.upperBound))
            report("\(shown) is out of range", remedy: "from \(low) to \(high)")
            return nil
        }
        return duration
    }

    /// A duration inside a range, or `"none"`: no limit.
    func limit(in range: ClosedRange<Duration>) -> Limit? {
        if case .string(let string) = node.value, string.text == "none" { return .unlimited }
        if case .string(let string) = node.value, DurationText.parse(string.text) == .zero {
            report("\(shown) is out of range", remedy: "for no limit write \"none\"")
            return nil
        }
        return duration(in: range).map(Limit.after)
    }

    enum Limit {
        case unlimited
        case after(Duration)

        var duration: Duration? {
            switch self {
            case .unlimited: nil
            case .after(let duration): duration
            }
        }
    }

    /// A number of things, or a share: `3`, `"10%"`.
    func allowance() -> Allowance? {
        if case .string(let string) = node.value, string.text.hasSuffix("%") {
            guard let share = Allowance(string.text) else {
                report("\(shown) is no share", remedy: "write a whole number from \"0%\" to \"100%\"")
                return nil
            }
            return share
        }
        return integer(in: 0...Int(Int32.max)).map(Allowance.count)
    }

    /// One of an enumeration's words.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(_: Choice.Type, noun: String) -> Choice? {
        guard let text = text() else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let words = Choice.allCases.map(\.rawValue)
        report("unknown \(noun) \(shown)", remedy: suggestion(for: text, among: words))
        return nil
    }
}

/// What to write instead of a name that is not known.
func suggestion(for name: String, among names: [String]) -> String? {
    if let nearest = NearestName.of(name, in: names) { return "did you mean \"\(nearest)\"?" }
    guard !names.isEmpty, names.count <= 12 else { return nil }
    return "known here: " + names.joined(separator: ", ")
}

// MARK: - Lists and objects

extension ManifestField {
    /// The elements of a list.
    func list() -> [ManifestField]? {
        guard case .array(let nodes) = node.value else {
            mismatch("a list", remedy: isObjectOrNull ? nil : "put it in [ ]")
            return nil
        }
        return nodes.enumerated().map { ManifestField(node: $1, path: "\(path)[\($0)]", log: log) }
    }

    private var isObjectOrNull: Bool {
        switch node.value {
        case .object, .null: true
        default: false
        }
    }

    /// The members of an object with any names; a name that is repeated is reported and counts once.
    func members() -> [(name: String, field: ManifestField)]? {
        guard case .object(let members) = node.value else {
            mismatch("an object")
            return nil
        }
        var seen: [String: Int] = [:]
        var answer: [(name: String, field: ManifestField)] = []
        for member in members {
            let path = Self.path(to: member.name, in: path)
            if let first = seen[member.name] {
                let line = log.place(ofByte: first).line
                log.report(
                    "this key is here twice", at: member.offset, path: path, remedy: "the first is in line \(line)")
                continue
            }
            seen[member.name] = member.offset
            answer.append((member.name, ManifestField(node: member.value, path: path, log: log)))
        }
        return answer
    }

    static func path(to name: String, in path: String) -> String {
        let isPlain = name.unicodeScalars.allSatisfy {
            $0 == "_" || $0 == "$" || $0.properties.isAlphabetic || "0"..."9" ~= $0
        }
        guard isPlain, !name.isEmpty else { return path + "[\(name.debugDescription)]" }
        return path.isEmpty ? name : path + "." + name
    }

    /// An object with the named keys and no others.
    ///
    /// - Parameter unsupported: keys whose feature is not built: refused by name.
    func object(keys: [String], unsupported: [String] = []) -> ManifestObject? {
        guard let members = members(), case .object(let nodes) = node.value else { return nil }
        var fields: [String: ManifestField] = [:]
        for (name, field) in members {
            if keys.contains(name) {
                fields[name] = field
            } else if unsupported.contains(name) {
                field.report("not supported yet", remedy: "leave it out")
            } else {
                let offset = nodes.first { $0.name == name }?.offset ?? field.node.range.lowerBound
                log.report(
                    "unknown key", at: offset, path: field.path,
                    remedy: suggestion(for: name, among: keys + unsupported))
            }
        }
        return ManifestObject(field: self, names: Set(nodes.map(\.name)), fields: fields)
    }
}
