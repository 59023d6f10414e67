package import RunbookModel

/// The statement of a batch with its parameters found: `:limit` and `:cursor` outside of quotes and comments, and not
/// what follows `::`.
package struct BatchStatement: Sendable, Hashable {
    /// With numbered parameters, each as long as the name it stands for.
    package private(set) var text: String
    /// What stands behind the numbers, in their order.
    package private(set) var parameters: [BatchWork.Parameter] = []
    package private(set) var problems: [Problem] = []

    /// A parameter that a batch does not have.
    package struct Problem: Sendable, Hashable {
        /// 1-based line in the file.
        package var line: Int
        package var message: String
        package var remedy: String
    }

    package init(_ statement: SQLStatement, dialect: SQLDialect) {
        let source = Array(statement.text.utf8)
        var bytes = source
        var tokenizer = SQLTokenizer(source, dialect)
        var brackets = 0
        var colon: Int?
        text = ""
        while let token = tokenizer.next() {
            let isBehindColon = colon.map { token.start == $0 + 1 } ?? false
            switch token.kind {
            case .symbol(UInt8(ascii: "[")): brackets += 1
            case .symbol(UInt8(ascii: "]")): brackets -= 1
            case .parameter:
                take(token.start..<token.end, source, &bytes, dialect, statement)
            case .word where isBehindColon && brackets == 0:
                take(token.start - 1..<token.end, source, &bytes, dialect, statement)
            default: break
            }
            // Of `::` neither begins a parameter; between brackets a colon separates the bounds of a slice.
            let isColon = token.kind == .symbol(UInt8(ascii: ":"))
            colon = isColon && !isBehindColon ? token.start : nil
        }
        text = String(decoding: bytes, as: UTF8.self)
    }

    private mutating func take(
        _ range: Range<Int>, _ source: [UInt8], _ bytes: inout [UInt8], _ dialect: SQLDialect, _ statement: SQLStatement
    ) {
        let written = String(decoding: source[range], as: UTF8.self)
        guard written.first == ":", let parameter = BatchWork.Parameter(rawValue: String(written.dropFirst())) else {
            let line = statement.line + source[..<range.lowerBound].count { $0 == UInt8(ascii: "\n") }
            problems.append(
                Problem(line: line, message: "\(written) is no parameter of a batch", remedy: remedy(for: written)))
            return
        }
        let known = parameters.firstIndex(of: parameter)
        if known == nil { parameters.append(parameter) }
        let number = (dialect == .postgresql ? "$" : "?") + String((known ?? parameters.count - 1) + 1)
        let padded = Array(number.utf8) + Array(repeating: UInt8(ascii: " "), count: range.count - number.utf8.count)
        bytes.replaceSubrange(range, with: padded)
    }

    private func remedy(for written: String) -> String {
        let nearest = NearestName.of(String(written.dropFirst()), in: BatchWork.Parameter.allCases.map(\.rawValue))
        return nearest.map { "did you mean :\($0)?" } ?? "a batch has :limit and :cursor"
    }
}
