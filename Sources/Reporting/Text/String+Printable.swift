extension String {
    /// The text with everything spelled out that a terminal would obey or a reader could not see: control characters,
    /// line separators and marks that turn the direction of writing. A tenant's name may hold any of them.
    package var printable: String {
        guard unicodeScalars.contains(where: { !$0.isPrintable }) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.isPrintable: result.unicodeScalars.append(scalar)
            default: result += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return result
    }

    /// The lines of a text, each printable; a tab counts as two spaces.
    package var printableLines: [String] {
        split(omittingEmptySubsequences: false) { $0.isNewline }
            .map { $0.split(separator: "\t", omittingEmptySubsequences: false).joined(separator: "  ").printable }
    }

    /// The printable text cut to a number of terminal columns; what was cut is shown as `…`.
    package func fitted(to columns: Int) -> String {
        guard displayWidth > columns else { return self }
        guard columns > 0 else { return "" }
        var result = ""
        var width = 0
        for character in self {
            guard width + character.displayWidth < columns else { break }
            width += character.displayWidth
            result.append(character)
        }
        return result + "…"
    }

    /// The text filled with spaces to a number of terminal columns.
    func padded(to columns: Int, leading: Bool = false) -> String {
        let filling = String(repeating: " ", count: max(0, columns - displayWidth))
        return leading ? filling + self : self + filling
    }
}

extension Unicode.Scalar {
    fileprivate var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: return false
        // UAX #9: explicit directional embeddings, overrides, isolates and marks.
        case .format:
            return !(0x200E...0x200F ~= value || 0x202A...0x202E ~= value || 0x2066...0x2069 ~= value || value == 0x61C)
        default: return true
        }
    }
}
