import DatabaseAccess
import Foundation
import SQLiteAccess
import Synchronization
import TestSupport
import Testing

/// The lock file excludes holders in one process and in several, and gives back what a dead holder had.
struct LockFileTests {
    private let folder: SQLiteFolder

    init() throws { folder = try SQLiteFolder() }

    private func holder() throws(DatabaseError) -> LockFile { try LockFile(beside: folder.url("ledger.db")) }

    static let keys: [Int64] = [0, 1, -1, .max, .max - 1, .min, .min + 1, 1 << 32, -(1 << 40)]

    @Test(arguments: keys) func oneHolderExcludesTheOther(key: Int64) throws {
        let (first, second) = (try holder(), try holder())
        #expect(try first.tryLock(key, .exclusive))
        #expect(try first.holds(key, .exclusive))
        #expect(try !second.tryLock(key, .exclusive))
        #expect(try !second.tryLock(key, .shared))
        #expect(try !second.holds(key, .exclusive))
        #expect(try first.unlock(key, .exclusive))
        #expect(try second.tryLock(key, .exclusive))
    }

    @Test func sharedHoldersShareAndExcludeTheExclusive() throws {
        let (first, second, third) = (try holder(), try holder(), try holder())
        #expect(try first.tryLock(7, .shared))
        #expect(try second.tryLock(7, .shared))
        #expect(try !third.tryLock(7, .exclusive))
        #expect(try first.unlock(7, .shared))
        #expect(try !third.tryLock(7, .exclusive))
        #expect(try second.unlock(7, .shared))
        #expect(try third.tryLock(7, .exclusive))
    }

    @Test func keysDoNotDisturbEachOther() throws {
        let (first, second) = (try holder(), try holder())
        #expect(try first.tryLock(7, .exclusive))
        #expect(try second.tryLock(8, .exclusive))
        #expect(try second.tryLock(6, .exclusive))
    }

    @Test func aKeyTakenTwiceIsGivenBackTwice() throws {
        let (first, second) = (try holder(), try holder())
        #expect(try first.tryLock(7, .exclusive))
        #expect(try first.tryLock(7, .exclusive))
        #expect(try first.unlock(7, .exclusive))
        #expect(try first.holds(7, .exclusive))
        #expect(try !second.tryLock(7, .exclusive))
        #expect(try first.unlock(7, .exclusive))
        #expect(try !first.holds(7, .exclusive))
        #expect(try second.tryLock(7, .exclusive))
    }

    @Test func bothModesOfAKeyAreKeptApart() throws {
        let (first, second) = (try holder(), try holder())
        #expect(try first.tryLock(7, .shared))
        #expect(try first.tryLock(7, .exclusive))
        #expect(try !second.tryLock(7, .shared))
        #expect(try first.unlock(7, .exclusive))
        #expect(try first.holds(7, .shared))
        #expect(try second.tryLock(7, .shared))
        // What is refused leaves what is there.
        #expect(try !first.tryLock(7, .exclusive))
        #expect(try first.holds(7, .shared))
        #expect(try first.unlock(7, .shared))
    }

    @Test func whatIsNotHeldIsNotGivenBack() throws {
        let locks = try holder()
        #expect(try !locks.unlock(7, .exclusive))
        #expect(try locks.tryLock(7, .shared))
        #expect(try !locks.unlock(7, .exclusive))
        #expect(try locks.unlock(7, .shared))
        #expect(try !locks.unlock(7, .shared))
    }

    @Test func aHolderThatIsDroppedGivesEverythingBack() throws {
        do {
            let first = try holder()
            #expect(try first.tryLock(7, .exclusive))
            #expect(try first.tryLock(8, .shared))
        }
        let second = try holder()
        #expect(try second.tryLock(7, .exclusive))
        #expect(try second.tryLock(8, .exclusive))
    }

    @Test func openingAndClosingAnotherHolderLosesNothing() throws {
        let (first, second) = (try holder(), try holder())
        #expect(try first.tryLock(7, .exclusive))
        // Classic POSIX locks would be gone now (fcntl(2)).
        _ = try holder()
        #expect(try !second.tryLock(7, .exclusive))
    }

    @Test func theFolderIsCreatedAndTheFileStays() throws {
        do { _ = try LockFile(beside: folder.url("deep/er/ledger.db")) }
        #expect(FileManager.default.fileExists(atPath: folder.path + "/deep/er/ledger.db-locks"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/deep/er/ledger.db"))
    }

    @Test func aFileThatCannotBeOpenedIsNamed() throws {
        try FileManager.default.createDirectory(
            atPath: folder.path + "/ledger.db-locks", withIntermediateDirectories: true)
        let error = try #require(databaseError { () throws(DatabaseError) in _ = try holder() })
        #expect(error.code == .unreachable)
        #expect(error.message.contains("ledger.db-locks"))
    }

    @Test func aReplacedFileIsALostLock() throws {
        let locks = try holder()
        #expect(try locks.tryLock(7, .exclusive))
        try FileManager.default.removeItem(atPath: folder.path + "/ledger.db-locks")
        #expect(try !locks.holds(7, .exclusive))
        #expect(
            databaseError { () throws(DatabaseError) in _ = try locks.tryLock(8, .exclusive) }?.code == .connectionLost)
        #expect(try holder().tryLock(7, .exclusive))
        #expect(try !locks.unlock(7, .exclusive))
    }

    @Test func threadsExcludeEachOther() async throws {
        // A counter that is only right when nobody is inside together with somebody else.
        let inside = Atomic<Int>(0)
        let overlaps = Atomic<Int>(0)
        let done = Atomic<Int>(0)
        let url = folder.url("ledger.db")
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            guard let locks = try? LockFile(beside: url) else { return }
            var rounds = 0
            while rounds < 200 {
                guard (try? locks.tryLock(42, .exclusive)) == true else { continue }
                if inside.add(1, ordering: .sequentiallyConsistent).newValue != 1 {
                    overlaps.add(1, ordering: .relaxed)
                }
                inside.subtract(1, ordering: .sequentiallyConsistent)
                if (try? locks.unlock(42, .exclusive)) == true { rounds += 1 }
            }
            done.add(rounds, ordering: .relaxed)
        }
        #expect(overlaps.load(ordering: .relaxed) == 0)
        #expect(done.load(ordering: .relaxed) == 1600)
    }

    // MARK: Several processes

    /// Another process that holds bytes of the file by the same system call, until it is told to end.
    private func foreignHolder(_ program: String) throws -> Process {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.currentDirectoryURL = URL(filePath: folder.path)
        process.arguments = [
            "-c",
            """
            import fcntl, os, struct, subprocess, sys, time
            def lock(kind, key):
                fcntl.fcntl(fd, 37, struct.pack('hhxxxxqqixxxx', kind, 0, key & (2**63 - 1), 1, 0))
            fd = os.open('ledger.db-locks', os.O_RDWR | os.O_CREAT, 0o644)
            \(program)
            os.write(1, b'.')
            time.sleep(600)
            """,
        ]
        process.standardOutput = output
        try process.run()
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == ".")
        return process
    }

    @Test func anotherProcessExcludesUntilItIsKilled() async throws {
        let locks = try holder()
        let other = try foreignHolder("lock(fcntl.F_WRLCK, -5); lock(fcntl.F_RDLCK, 6)")
        #expect(try !locks.tryLock(-5, .exclusive))
        #expect(try !locks.tryLock(-5, .shared))
        #expect(try !locks.tryLock(6, .exclusive))
        #expect(try locks.tryLock(6, .shared))
        kill(other.processIdentifier, SIGKILL)
        other.waitUntilExit()
        #expect(try locks.tryLock(-5, .exclusive))
        #expect(try locks.tryLock(6, .exclusive))
    }

    @Test func aChildInheritsNoLock() async throws {
        do {
            let locks = try holder()
            #expect(try locks.tryLock(7, .exclusive))
            let child = Process()
            child.executableURL = URL(filePath: "/bin/sh")
            child.arguments = ["-c", "ls -l /proc/self/fd | grep -c ledger.db-locks"]
            let output = Pipe()
            child.standardOutput = output
            try child.run()
            #expect(String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) == "0\n")
            child.waitUntilExit()
        }
        #expect(try holder().tryLock(7, .exclusive))
    }

    @Test func descriptorsAreGivenBack() throws {
        func descriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
        let before = try descriptors()
        for _ in 0..<5000 { _ = try holder().tryLock(1, .exclusive) }
        // Tests that run beside this one have descriptors of their own.
        #expect(try descriptors() < before + 500)
    }
}
