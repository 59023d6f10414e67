import DatabaseAccess
import TestSupport
import Testing

@Suite(.needsPostgres) struct SessionAdvisoryLocksTests {
    static let keys: [Int64] = [0, 1, -1, .max, .min, 0x7fff_ffff, 0x8000_0000, -0x8000_0000, 0x1234_5678_9abc_def0]

    private func withTwo(
        _ body: (_ first: any DatabaseSession, _ second: any DatabaseSession) throws -> Void
    ) async throws {
        try await PostgresServer.withDatabase { url in
            let first = try PostgresServer.open(url)
            let second = try PostgresServer.open(url)
            defer {
                first.close()
                second.close()
            }
            try body(first, second)
        }
    }

    @Test func oneHolderExcludesAllOthersUntilItGivesBack() async throws {
        try await withTwo { first, second in
            let mine = SessionAdvisoryLocks(on: first)
            let theirs = SessionAdvisoryLocks(on: second)
            for key in Self.keys {
                try #require(try mine.tryLock(key, .exclusive))
                #expect(try mine.holds(key, .exclusive))
                #expect(try !mine.holds(key, .shared))
                #expect(try !theirs.holds(key, .exclusive))
                #expect(try !theirs.tryLock(key, .exclusive))
                #expect(try !theirs.tryLock(key, .shared))
                #expect(try mine.unlock(key, .exclusive))
                #expect(try !mine.holds(key, .exclusive))
                #expect(try theirs.tryLock(key, .exclusive))
            }
        }
    }

    @Test func sharedHoldersExcludeOnlyTheExclusive() async throws {
        try await withTwo { first, second in
            let mine = SessionAdvisoryLocks(on: first)
            let theirs = SessionAdvisoryLocks(on: second)
            try #require(try mine.tryLock(7, .shared))
            #expect(try theirs.tryLock(7, .shared))
            #expect(try mine.holds(7, .shared) && theirs.holds(7, .shared))
            #expect(try !theirs.tryLock(7, .exclusive))
            #expect(try mine.unlock(7, .shared))
            #expect(try theirs.tryLock(7, .exclusive))
        }
    }

    @Test func aLostLockIsSeen() async throws {
        try await withTwo { first, second in
            let mine = SessionAdvisoryLocks(on: first)
            #expect(try !mine.unlock(7, .exclusive))
            #expect(try mine.tryLock(7, .exclusive))
            try first.run("SELECT pg_advisory_unlock_all()")
            #expect(try !mine.holds(7, .exclusive))
            #expect(try !mine.unlock(7, .exclusive))
            #expect(try SessionAdvisoryLocks(on: second).tryLock(7, .exclusive))
        }
    }

    @Test func anEndedSessionGivesItsLocksBack() async throws {
        try await PostgresServer.withDatabase { url in
            let first = try PostgresServer.open(url)
            let second = try PostgresServer.open(url)
            defer { second.close() }
            #expect(try SessionAdvisoryLocks(on: first).tryLock(7, .exclusive))
            first.close()
            let theirs = SessionAdvisoryLocks(on: second)
            #expect(try await eventually { try theirs.tryLock(7, .exclusive) })
        }
    }

    /// What a script left in its search_path cannot answer in place of the server.
    @Test func shadowedFunctionsAndOperatorsAreNotCalled() async throws {
        try await withTwo { first, second in
            try first.run(
                """
                CREATE SCHEMA evil;
                CREATE FUNCTION evil.yes(oid, oid) RETURNS bool LANGUAGE sql AS 'SELECT true';
                CREATE FUNCTION evil.yes(text, text) RETURNS bool LANGUAGE sql AS 'SELECT true';
                CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.yes);
                CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.yes);
                CREATE FUNCTION evil.pg_try_advisory_lock(bigint) RETURNS bool LANGUAGE sql AS 'SELECT true';
                CREATE FUNCTION evil.pg_backend_pid() RETURNS int LANGUAGE sql AS 'SELECT 0';
                CREATE DOMAIN evil.int8 AS text; CREATE DOMAIN evil.oid AS text;
                CREATE VIEW evil.pg_locks AS SELECT 1 AS pid;
                SET search_path = evil, pg_catalog
                """)
            #expect(try SessionAdvisoryLocks(on: second).tryLock(7, .exclusive))
            let mine = SessionAdvisoryLocks(on: first)
            #expect(try !mine.tryLock(7, .exclusive))
            #expect(try !mine.holds(7, .exclusive))
            #expect(try mine.tryLock(8, .shared))
            #expect(try mine.holds(8, .shared))
            #expect(try !mine.holds(9, .shared))
        }
    }
}
