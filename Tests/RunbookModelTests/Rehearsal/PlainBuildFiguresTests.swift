import RunbookModel
import Testing

/// Indexes that apply builds CONCURRENTLY, and commits, in what a rehearsal says of them.
@Suite struct PlainBuildFiguresTests {
    private static let cost = ServerCost(roundTrip: .microseconds(10), commit: .milliseconds(3))

    private func build(_ id: String = "index", change: (inout Runbook) -> Void = { _ in }) -> Runbook {
        let twin = PlainTwin(text: "…", work: .build(index: "i", table: "t"), schema: nil)
        let statement = SQLStatement(text: "…", line: 1, offset: 0, length: 1, isConcurrent: true, plainTwin: twin)
        let script = SQLScript(path: "i.sql", text: "…", statements: [statement], checksum: "sha256:i")
        var runbook = Runbook(id: id, phase: "one", transaction: false, action: .sql(script), checksum: "sha256:i")
        change(&runbook)
        return runbook
    }

    private func plain(_ id: String, after: [String] = []) -> Runbook {
        let script = SQLScript(path: "s.sql", text: "select 1", statements: [], checksum: "sha256:s")
        return Runbook(id: id, phase: "one", after: after, action: .sql(script), checksum: "sha256:s")
    }

    private func steps(_ runbooks: Runbook...) -> [TenantPlanner.Step] {
        runbooks.map { TenantPlanner.Step(runbook: $0, decision: .run) }
    }

    private func course(
        _ steps: [TenantPlanner.Step], end: (Runbook) -> RehearsalStepEnd
    ) -> RehearsalCourse {
        var course = RehearsalCourse()
        var time = Duration.zero
        course.go(
            through: RehearsalPlan(steps, elsewhere: [], isFile: false), clock: { time },
            perform: {
                time += .milliseconds(8)
                return end($0)
            })
        return course
    }

    /// Guarantee: on a server a concurrent build is rehearsed and so is what comes after it; in a file, and shared, it is not.
    @Test func rehearsedOnAServerAlone() {
        let given = steps(build(), plain("uses", after: ["index"]))
        #expect(
            RehearsalPlan(given, elsewhere: [], isFile: false).steps.map(\.disposition) == [.rehearse, .rehearse])
        #expect(RehearsalPlan(given, elsewhere: [], isFile: true).steps.allSatisfy { $0.disposition != .rehearse })
        let shared = build { $0.shared = true }
        #expect(
            RehearsalPlan(steps(shared), elsewhere: [], isFile: false).steps.allSatisfy { $0.disposition != .rehearse })
    }

    /// Guarantee: what is reported says that it was a plain build, and takes the time of the build alone.
    @Test func reportSaysSo() {
        let course = course(steps(plain("a"), build())) {
            $0.id == "a" ? .succeeded(rows: 1) : .succeeded(rows: 0, plainBuild: .milliseconds(5))
        }
        #expect(course.steps.map(\.asPlainBuild) == [false, true])
        #expect(course.steps.map(\.durationMS) == [8, 5])
    }

    /// Guarantee: a concurrent build counts as two plain ones, five commits and the round trips of an attempt; transactional
    /// work as what it took and a commit; what is blocked as nothing. Without a cost, as what was measured.
    @Test func figures() {
        var figures = RehearsalFigures()
        let given = course(steps(plain("a"), build())) {
            $0.id == "a" ? .succeeded(rows: 1) : .succeeded(rows: 0, plainBuild: .milliseconds(5))
        }
        figures.add(given, beside: nil, cost: Self.cost)
        #expect(figures.mean(of: plain("a").identity) == .milliseconds(11))
        #expect(figures.mean(of: build().identity) == .microseconds(2 * 5000 + 5 * 3000 + 15 * 10))

        var unmeasured = RehearsalFigures()
        unmeasured.add(given, beside: nil, cost: nil)
        #expect(unmeasured.mean(of: plain("a").identity) == .milliseconds(8))
        #expect(unmeasured.mean(of: build().identity) == .milliseconds(10))

        var failed = RehearsalFigures()
        failed.add(
            course(steps(plain("a"), plain("b", after: ["a"]))) {
                .failed(Failure(tenant: "t", runbook: $0.id, key: "1", state: "failed", message: "no"))
            }, beside: nil, cost: Self.cost)
        #expect(failed.mean(of: plain("b").identity) == .zero)
    }

    /// Guarantee: a leftover that is taken away first, and usually is not there, commits nothing.
    @Test func leftoversCommitNothing() throws {
        var runbook = build()
        guard case .sql(var script) = runbook.action else { return }
        var drop = script.statements[0]
        drop.plainTwin = PlainTwin(text: "…", work: .drop(index: "i"), schema: nil)
        script.statements.insert(drop, at: 0)
        runbook.action = .sql(script)
        let course = course(steps(runbook)) { _ in .succeeded(rows: 0, plainBuild: .milliseconds(1)) }
        let work = try #require(course.took.first)
        #expect(ServerCost(roundTrip: .zero, commit: .milliseconds(1)).inApply(work) == .milliseconds(2 + 5))
    }

    /// Guarantee: an attempt that may be repeated asks first what became of the last one; more statements take more.
    @Test(arguments: [(false, 1, 15), (true, 1, 17), (false, 3, 19)])
    func roundTrips(_ mayRepeat: Bool, _ statements: Int, _ expected: Int) {
        let work = RehearsedWork(
            runbook: build().identity, duration: .seconds(9),
            kind: .plainBuild(build: .zero, statements: statements, builds: 1, asksBefore: mayRepeat))
        let cost = ServerCost(roundTrip: .milliseconds(1), commit: .zero)
        #expect(cost.inApply(work) == .milliseconds(expected))
    }

    /// Guarantee: of transactional runbooks that follow each other the last one waits for the disk; at the tenant's end that
    /// may be left to the ledger.
    @Test(arguments: [true, false]) func theLastOneWaits(atEnd: Bool) {
        var figures = RehearsalFigures()
        let given = course(steps(plain("a"), plain("b"), build(), plain("c"))) {
            $0.id == "index" ? .succeeded(rows: 0, plainBuild: .zero) : .succeeded(rows: 1)
        }
        figures.add(given, beside: nil, cost: Self.cost, waitsAtEnd: atEnd)
        let expected = [8, 11, atEnd ? 11 : 8]
        #expect(["a", "b", "c"].map { figures.mean(of: plain($0).identity) } == expected.map { .milliseconds($0) })
    }

    /// Guarantee: locks that a plain build took are not told, not at a later look either, until they are given back; those
    /// held before it are.
    @Test func hiddenLocksAreNotTold() {
        let before = RelationLockBook.Sight(relation: "t", mode: .rowExclusive)
        let built = RelationLockBook.Sight(relation: "t", mode: .share)
        var book = RelationLockBook()
        book.look([before], runbook: "a", at: .zero)
        book.hide([before, built])
        book.look([before, built], runbook: "b", at: .milliseconds(10))
        #expect(book.locks(endedAt: .milliseconds(20)).map(\.mode) == [.rowExclusive])
        book.look([before], runbook: "b", at: .milliseconds(20))
        book.look([before, built], runbook: "c", at: .milliseconds(30))
        #expect(book.locks(endedAt: .milliseconds(40)).map(\.runbook) == ["c"])
    }
}
