import RunbookModel

/// A program and its arguments, found.
struct DecodedCommand {
    /// The program absolute, or a bare name for PATH.
    var arguments: [String]
    /// Over the arguments before expansion and the program, when it lies in the manifest's folder.
    var checksum: String
}

extension ManifestDecoder {
    /// An argument vector whose program exists, if it is a path.
    func command(_ field: ManifestField) -> DecodedCommand? {
        guard let fields = field.list() else { return nil }
        guard let first = fields.first else {
            field.report("is empty", remedy: "write the program, then its arguments")
            return nil
        }
        var arguments = fields.map { argument($0, isProgram: $0.path == first.path) }
        guard let program = arguments[0] else { return nil }
        var checksum: String?
        if program.contains("/") {
            do throws(TextFile.Problem) {
                checksum = try folder.programChecksum(program)
                arguments[0] = folder.absolute(program)
            } catch {
                report(error, of: program, in: first)
                return nil
            }
        } else if program.contains(" ") {
            first.report(
                "\(first.shown) is one name with a blank in it", remedy: "give the arguments as texts of their own")
        }
        let written = fields.map { field in
            if case .string(let string) = field.node.value { string.source } else { "" }
        }
        let found = arguments.compactMap { $0 }
        guard found.count == arguments.count else { return nil }
        return DecodedCommand(
            arguments: found,
            checksum: Checksum.of((["exec"] + written + [checksum ?? ""]).joined(separator: "\0")))
    }

    /// Arguments may be empty, the program may not.
    private func argument(_ field: ManifestField, isProgram: Bool) -> String? {
        if !isProgram, case .string(let string) = field.node.value, string.text.isEmpty { return "" }
        return field.text()
    }

    /// A SQL file, lexed; what it must not hold is reported with its own lines.
    ///
    /// - Parameter dialect: nil when it is not known whose SQL it is: then only the file itself is checked.
    func script(_ field: ManifestField, dialect: SQLDialect?, transactional: Bool) -> SQLScript? {
        guard let name = field.line() else { return nil }
        do throws(TextFile.Problem) {
            let text = try folder.text(of: name)
            let (script, findings) = SQLLexer.script(
                path: name, text: text, dialect: dialect ?? .postgresql, transactional: transactional)
            guard dialect != nil else { return script }
            for finding in findings {
                log.report(
                    ManifestDiagnostic(
                        file: name, place: TextPlace(line: finding.line, column: 1), message: finding.message,
                        remedy: finding.remedy))
            }
            return script
        } catch {
            report(error, of: name, in: field)
            return nil
        }
    }

    private func report(_ problem: TextFile.Problem, of name: String, in field: ManifestField) {
        let nearest = problem.isMissing ? folder.nearest(to: name) : nil
        let remedy = nearest.map { "did you mean \"\($0)\"?" } ?? problem.remedy
        if let line = problem.line {
            let place = TextPlace(line: line, column: 1)
            log.report(ManifestDiagnostic(file: name, place: place, message: problem.message, remedy: remedy))
        } else {
            field.report("\(field.shown): \(problem.message)", remedy: remedy)
        }
    }
}
