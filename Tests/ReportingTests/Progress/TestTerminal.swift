/// As much of a terminal as the live view uses: text, newline, cursor up, erase below, folding on resize.
struct TestTerminal {
    private(set) var lines: [String] = [""]
    private var row = 0

    mutating func write(_ text: String) {
        var rest = text[...]
        while let character = rest.popFirst() {
            if character == "\n" {
                row += 1
                if row == lines.count { lines.append("") }
            } else if character == "\u{1B}" {
                obey(&rest)
            } else {
                lines[row].append(character)
            }
        }
    }

    private mutating func obey(_ rest: inout Substring) {
        let sequence = rest.prefix { !$0.isLetter }
        rest = rest.dropFirst(sequence.count)
        let command = rest.popFirst()
        if command == "F" {
            row = max(0, row - (Int(sequence.dropFirst()) ?? 1))
        } else if command == "J" {
            lines = lines.prefix(row) + [""]
        }
    }

    /// Folds every line to a new width, as terminals do; the cursor goes with its line.
    mutating func narrow(to columns: Int) {
        var folded: [String] = []
        for (index, line) in lines.enumerated() {
            if index == row { row = folded.count }
            var rest = line[...]
            repeat {
                folded.append(String(rest.prefix(columns)))
                rest = rest.dropFirst(columns)
            } while !rest.isEmpty
        }
        lines = folded
    }
}
