/// A text with a tenant's columns in it: `{schema}`, `app_{id}`, `postgres://db/{id}`.
package struct ColumnTemplate: Sendable, Hashable {
    package enum Piece: Sendable, Hashable {
        case text(String)
        case column(String)

        var isColumn: Bool { if case .column = self { true } else { false } }
    }

    package var pieces: [Piece]

    /// - Throws: what is wrong with the text: a brace without its partner, or one around no column name.
    package init(_ text: String) throws(ColumnTemplateError) {
        pieces = []
        var rest = text[...]
        while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            if brace > rest.startIndex { pieces.append(.text(String(rest[..<brace]))) }
            guard rest[brace] == "{" else { throw ColumnTemplateError(message: "a \"}\" without its \"{\"") }
            rest = rest[rest.index(after: brace)...]
            guard let end = rest.firstIndex(of: "}") else {
                throw ColumnTemplateError(message: "a \"{\" without its \"}\"")
            }
            let column = rest[..<end]
            guard Self.isColumnName(column) else {
                throw ColumnTemplateError(message: "\"{\(column)}\" names no column")
            }
            pieces.append(.column(String(column)))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
    }

    /// The columns that it asks for, each once, in order.
    package var columns: [String] {
        var columns: [String] = []
        for case .column(let name) in pieces where !columns.contains(name) { columns.append(name) }
        return columns
    }

    /// The text for one tenant.
    ///
    /// - Parameter value: a column's value, already encoded for the place where the text goes.
    /// - Throws: the first column without a value.
    package func filled(_ value: (String) -> String?) throws(ColumnTemplateError) -> String {
        var text = ""
        for piece in pieces {
            switch piece {
            case .text(let part): text += part
            case .column(let name):
                guard let part = value(name) else {
                    throw ColumnTemplateError(message: "there is no column \"\(name)\"")
                }
                text += part
            }
        }
        return text
    }

    /// Whether a column of this name can stand in a template.
    static func isColumnName(_ name: some StringProtocol) -> Bool {
        !name.isEmpty
            && name.unicodeScalars.allSatisfy {
                $0 == "_" || $0 == "-" || $0 == "." || $0.properties.isAlphabetic || $0.properties.numericType != nil
            }
    }
}

/// Why a template is none, or cannot be filled in.
package struct ColumnTemplateError: Error, Sendable, Hashable {
    package var message: String
}
