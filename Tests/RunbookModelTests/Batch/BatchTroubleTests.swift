import RunbookModel
import Testing

struct BatchTroubleTests {
    @Test(
        "a SQLSTATE says whether fewer rows, another moment or nothing would help",
        arguments: [
            ("57014", BatchTrouble.slow), ("40P01", .contention), ("40001", .contention), ("55P03", .contention),
            ("23505", .row), ("22P02", .row), ("P0001", .row), ("44000", .row), ("42501", .row), ("54000", .row),
            ("42601", .statement), ("42P01", .statement), ("25006", .statement), ("53100", .statement),
            ("XX000", .statement), ("0A000", .statement), ("57P01", .statement),
        ])
    func ofState(state: String, trouble: BatchTrouble) {
        #expect(BatchTrouble(sqlState: state) == trouble)
    }

    @Test("SQLite has none, and what it says of a prepared statement is about its rows")
    func ofSQLite() {
        #expect(BatchTrouble(sqlState: nil) == .row)
    }
}

struct CursorWatchTests {
    @Test("a cursor that stands still is seen at once")
    func still() {
        var watch = CursorWatch()
        let answers = [watch.hasSeen("1", after: nil), watch.hasSeen("2", after: "1"), watch.hasSeen("2", after: "2")]
        #expect(answers == [false, false, true])
    }

    @Test("a circle of any length is found, whatever came before it")
    func circles() {
        for lead in [0, 1, 5, 100] {
            for length in [1, 2, 3, 10, 257] {
                var watch = CursorWatch()
                var previous: String?
                var isFound = false
                for step in 0..<(lead + length) * 6 where !isFound {
                    let cursor = step < lead ? "lead \(step)" : "\((step - lead) % length)"
                    isFound = watch.hasSeen(cursor, after: previous)
                    if isFound { #expect(step >= lead + length) }
                    previous = cursor
                }
                #expect(isFound)
            }
        }
    }

    @Test("a cursor that advances is never suspected")
    func advances() {
        var watch = CursorWatch()
        for step in 0..<10_000 {
            let isSuspected = watch.hasSeen("\(step)", after: step == 0 ? nil : "\(step - 1)")
            #expect(!isSuspected)
        }
    }
}

struct BatchProgressTests {
    @Test("the rest is told from the rate of this attempt, not from what stood there before")
    func remaining() {
        let progress = BatchProgress(
            rows: 3000, total: 5000, batches: 2, size: 1000, elapsedMS: 4000, rowsBefore: 1000)
        #expect(progress.rate == 500)
        #expect(progress.remainingMS == 4000)
    }

    @Test("nothing is told from nothing, and nothing from a total that was too small")
    func unknown() {
        #expect(BatchProgress(rows: 0, total: 10, batches: 0, size: 1, elapsedMS: 100).remainingMS == nil)
        #expect(BatchProgress(rows: 10, batches: 1, size: 1, elapsedMS: 100).remainingMS == nil)
        #expect(BatchProgress(rows: 20, total: 10, batches: 1, size: 1, elapsedMS: 100).remainingMS == nil)
    }
}
