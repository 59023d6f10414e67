extension StringProtocol where SubSequence == Substring {
    /// Where a text stands byte for byte, whatever combines with its last character; nil for an empty one.
    package func firstPlace(of text: String) -> Range<Index>? {
        var start = utf8.startIndex
        let text = text.utf8
        guard let first = text.first else { return nil }
        while let found = utf8[start...].firstIndex(of: first) {
            var end = found
            if utf8.formIndex(&end, offsetBy: text.count, limitedBy: utf8.endIndex),
                utf8[found..<end].elementsEqual(text)
            {
                return found..<end
            }
            start = utf8.index(after: found)
        }
        return nil
    }

    /// The text with each place of another one replaced, byte for byte.
    package func replacingPlaces(of text: String, with replacement: String) -> String {
        var result = ""
        var rest = self[...]
        while let found = rest.firstPlace(of: text) {
            result += rest[..<found.lowerBound] + replacement
            rest = rest[found.upperBound...]
        }
        return result + rest
    }
}
