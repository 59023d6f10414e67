import RunbookModel
import Testing

@Suite struct ConnectionShareTests {
    /// A few runners that come, go and renew their shares in any order, each as the ledger lets it.
    private struct Fleet {
        let perServer: Int
        let reserved: Int
        /// What each has told: reserved and workers.
        var told: [Int] = []
        /// What its workers hold.
        var held: [Int] = []

        mutating func renew(_ index: Int, wanted: Int) {
            let others = told.indices.filter { $0 != index }.reduce(0) { $0 + told[$1] }
            let share = ConnectionShare(
                perServer: perServer, runners: told.count, held: others, reserved: reserved
            ).workers(wanted: wanted)
            told[index] = reserved + max(share, held[index])
        }
    }

    /// Guarantee: a runner alone has all there is, less what the ledger needs.
    @Test func oneRunnerHasAll() {
        for perServer in 1...40 {
            let share = ConnectionShare(perServer: perServer, runners: 1, held: 0, reserved: 1)
            #expect(share.workers(wanted: 1000) == max(1, perServer - 1))
            #expect(share.workers(wanted: 3) == min(3, max(1, perServer - 1)))
        }
    }

    /// Guarantee: whatever order runners come, work and renew in, what they hold together never passes the limit, as long
    /// as there is one connection for each worker at least.
    @Test func togetherTheyNeverPassTheLimit() {
        var dice = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let perServer = Int.random(in: 8...40, using: &dice)
            var fleet = Fleet(perServer: perServer, reserved: Int.random(in: 0...1, using: &dice))
            for _ in 0..<200 {
                if fleet.told.count < 4, Int.random(in: 0..<20, using: &dice) == 0 {
                    fleet.told.append(0)
                    fleet.held.append(0)
                    // A newcomer's connection to the ledger is there before it can ask.
                    continue
                }
                guard let index = fleet.told.indices.randomElement(using: &dice) else { continue }
                if Bool.random(using: &dice) {
                    fleet.renew(index, wanted: Int.random(in: 1...20, using: &dice))
                } else {
                    // Workers take what was told, or give back.
                    fleet.held[index] = Int.random(in: 0...max(0, fleet.told[index] - fleet.reserved), using: &dice)
                }
                let workers = fleet.held.reduce(0, +)
                #expect(workers <= perServer, "\(fleet)")
            }
        }
    }

    /// Guarantee: after everybody has renewed, and given back what is too much, the shares are fair.
    @Test func sharesBecomeFair() {
        for perServer in 1...40 {
            for runners in 1...5 {
                var fleet = Fleet(perServer: perServer, reserved: 1)
                for _ in 0..<runners {
                    fleet.told.append(0)
                    fleet.held.append(0)
                    for _ in 0..<3 {
                        for index in fleet.told.indices {
                            fleet.renew(index, wanted: 1000)
                            // What is over the share is given back at once here.
                            fleet.held[index] = 0
                            fleet.renew(index, wanted: 1000)
                            fleet.held[index] = fleet.told[index] - fleet.reserved
                        }
                    }
                }
                let fair = max(1, perServer / runners - 1)
                #expect(fleet.held.allSatisfy { $0 == fair }, "\(perServer) for \(runners): \(fleet.held)")
            }
        }
    }
}
