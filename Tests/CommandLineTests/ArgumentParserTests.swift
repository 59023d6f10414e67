import CommandLine
import RunbookModel
import Testing

@Suite struct ArgumentParserTests {
    private static let commands = [
        CommandDefinition(
            "apply", aliases: ["up"], summary: "s", discussion: "d",
            flags: [
                .manifest, .tenant, .match, .concurrency, .lockWait, .quiet, .verbose,
                .unsupported("plan", .text("FILE")),
            ],
            exits: [], examples: []),
        CommandDefinition(
            "check", summary: "s", discussion: "d", parameters: [Parameter("RUNBOOK", isRepeated: true, help: "h")],
            flags: [.manifest, .ledger], exits: [], examples: []),
        CommandDefinition("locks", "list", summary: "s", discussion: "d", exits: [], examples: []),
        CommandDefinition(
            "locks", "key", summary: "s", discussion: "d", parameters: [Parameter("TENANT", help: "h")], exits: [],
            examples: []),
        CommandDefinition(
            "init", summary: "s", discussion: "d", parameters: [Parameter("FOLDER", isRequired: false, help: "h")],
            exits: [], examples: []),
    ]

    private let parser = ArgumentParser(commands, unsupported: ["rehearse"])

    private func parsed(_ arguments: [String], _ environment: [String: String] = [:]) throws -> ParsedArguments {
        guard case .run(let parsed) = try parser.parse(arguments, environment: environment) else {
            throw UsageError("help")
        }
        return parsed
    }

    /// Guarantee: every way to write a flag, before and after the command, means the same.
    @Test(arguments: [
        ["apply", "-f", "a.json5"], ["apply", "-fa.json5"], ["apply", "--manifest", "a.json5"],
        ["apply", "--manifest=a.json5"], ["--manifest", "a.json5", "apply"], ["-fa.json5", "up"],
        ["apply", "-f", "b.json5", "-f", "a.json5"], ["apply", "-qfa.json5"], ["apply", "-qvf", "a.json5"],
    ])
    func spellingsAgree(_ arguments: [String]) throws {
        let parsed = try parsed(arguments)
        #expect(parsed.command.name == "apply")
        #expect(parsed.text(.manifest) == "a.json5")
    }

    /// Guarantee: repeated flags gather in order, others keep the last value.
    @Test func flagsRepeat() throws {
        let parsed = try parsed([
            "apply", "--tenant", "a", "--tenant=b", "--match", "plan=x", "--match", "plan=y=z", "--concurrency", "1",
            "--concurrency", "2", "--quiet", "--verbose=false", "--lock-wait", "250ms",
        ])
        #expect(parsed.list(.tenant) == ["a", "b"])
        #expect(parsed.selection.match == ["plan": ["x", "y=z"]])
        #expect(parsed.count(.concurrency) == 2)
        #expect(parsed.isOn(.quiet))
        #expect(!parsed.isOn(.verbose))
        #expect(parsed.duration(.lockWait) == .milliseconds(250))
    }

    /// Guarantee: after `--` nothing is a flag, and values with a dash can be given with `=`.
    @Test func terminatorEndsFlags() throws {
        #expect(try parsed(["check", "--", "--help", "-f"]).positionals == ["--help", "-f"])
        #expect(try parsed(["check", "a", "--ledger=-x", "b"]).positionals == ["a", "b"])
        #expect(try parsed(["locks", "key", "--", "-acme"]).positionals == ["-acme"])
    }

    /// Guarantee: each flag reads its variable; the command line wins; an empty variable counts as unset.
    @Test func environmentFillsIn() throws {
        let environment = [
            "MUSTER_MANIFEST": "env.json5", "MUSTER_TENANT": "a,b", "MUSTER_QUIET": "1", "MUSTER_LOCK_WAIT": "5m",
            "MUSTER_CONCURRENCY": "", "MUSTER_PHASE": "not a flag of this command",
        ]
        let parsed = try parsed(["apply", "--tenant", "c"], environment)
        #expect(parsed.text(.manifest) == "env.json5")
        #expect(parsed.list(.tenant) == ["c"])
        #expect(parsed.isOn(.quiet))
        #expect(parsed.duration(.lockWait) == .seconds(300))
        #expect(parsed.count(.concurrency) == nil)
        #expect(try !self.parsed(["apply", "--quiet=false"], environment).isOn(.quiet))
    }

    /// Guarantee: what cannot be understood is refused, and what was probably meant is named.
    @Test(arguments: [
        ([], "A command is missing."),
        (["aply"], "There is no command \"aply\". Did you mean \"apply\"?"),
        (["xyzzy"], "There is no command \"xyzzy\"."),
        (["rehearse"], "\"rehearse\" is not supported yet."),
        (["locks"], "\"locks\" needs one of: list, key."),
        (["locks", "lst"], "\"locks\" has no command \"lst\". Did you mean \"list\"?"),
        (["apply", "--manfest", "x"], "There is no flag --manfest. Did you mean --manifest?"),
        (["apply", "-z"], "There is no flag -z."),
        (["apply", "--ledger", "x"], "--ledger is no flag of \"apply\". It belongs to: check."),
        (["apply", "--plan", "x"], "--plan is not supported yet."),
        (["apply", "--tenant"], "--tenant needs a value: ID."),
        (
            ["apply", "--tenant", "--quiet"],
            "--tenant needs a value: ID. One that begins with a dash is written --tenant=…"
        ),
        (["apply", "--concurrency", "many"], "--concurrency takes a whole number from 1, not \"many\"."),
        (["apply", "--concurrency=0"], "--concurrency takes a whole number from 1, not \"0\"."),
        (["apply", "--lock-wait", "5"], "--lock-wait takes a duration such as 250ms, 30s, 5m or 1h, not \"5\"."),
        (["apply", "--match", "plan"], "--match takes label=value, not \"plan\"."),
        (["apply", "--quiet=maybe"], "--quiet takes true or false, not \"maybe\"."),
        (["apply", "--format", "jsn"], "--format takes text, json, ndjson, not \"jsn\". Did you mean \"json\"?"),
        (["apply", "--manifest="], "--manifest takes a value, not \"\"."),
        (["apply", "extra"], "\"apply\" does not take \"extra\"."),
        (["check"], "\"check\" needs RUNBOOK."),
        (["locks", "key"], "\"locks key\" needs TENANT."),
        (["init", "a", "b"], "\"init\" does not take \"b\"."),
    ])
    func mistakesAreNamed(_ arguments: [String], _ message: String) {
        #expect {
            try parsed(arguments)
        } throws: {
            ($0 as? UsageError)?.message == message
        }
    }

    /// Guarantee: a bad variable is refused by its own name.
    @Test func badVariablesAreNamed() {
        #expect {
            try parsed(["apply"], ["MUSTER_CONCURRENCY": "x"])
        } throws: {
            ($0 as? UsageError)?.message == "MUSTER_CONCURRENCY takes a whole number from 1, not \"x\"."
        }
    }

    /// Guarantee: help answers anywhere before `--`, whatever else is wrong with the line.
    @Test(arguments: [
        (["--help"], []), (["-h"], []), (["help"], []), (["apply", "-h"], ["apply"]),
        (["apply", "--bogus", "--help"], ["apply"]), (["up", "--help"], ["apply"]), (["help", "apply"], ["apply"]),
        (["help", "up"], ["apply"]),
        (["help", "locks"], ["locks"]), (["locks", "--help"], ["locks"]),
        (["help", "locks", "key"], ["locks", "key"]),
        (["locks", "key", "--help"], ["locks", "key"]), (["nonsense", "--help"], []),
    ])
    func helpAnswersAnywhere(_ arguments: [String], _ topic: [String]) throws {
        guard case .help(let asked) = try parser.parse(arguments, environment: [:]) else {
            Issue.record("no help for \(arguments)")
            return
        }
        #expect(asked == topic)
    }

    /// Guarantee: durations need a unit and stay in range.
    @Test(arguments: [
        ("0", Duration.zero), ("250ms", .milliseconds(250)), ("30s", .seconds(30)), ("5m", .seconds(300)),
        ("2h", .seconds(7200)), ("90d", .seconds(90 * 86400)), ("", nil), ("5", nil), ("s", nil), ("-5s", nil),
        ("1.5s", nil), ("5 s", nil), ("99999999999s", nil), ("٣s", nil),
    ])
    func durationsAreRead(_ text: String, _ duration: Duration?) {
        #expect(DurationText.duration(text) == duration)
    }
}
