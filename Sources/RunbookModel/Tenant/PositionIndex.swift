/// Finds a position again by something that the caller can take out of it: a hash table that keeps numbers alone.
struct PositionIndex: Sendable {
    private struct Slot {
        /// One more than the position; 0 is free.
        var number: UInt32 = 0
        var hash: UInt32 = 0
    }

    private var slots = [Slot](repeating: Slot(), count: 64)
    private var count = 0

    /// - Parameter isSame: whether a position with the same hash is the one that is meant.
    func find(_ hash: Int, _ isSame: (Int) -> Bool) -> Int? {
        let slot = slots[place(UInt32(truncatingIfNeeded: hash), isSame)]
        return slot.number == 0 ? nil : Int(slot.number) - 1
    }

    /// Adds a position that `find` did not find.
    mutating func insert(_ position: Int, _ hash: Int) {
        // At most half full: a search that fails ends soon.
        if count * 2 >= slots.count { grow() }
        let hash = UInt32(truncatingIfNeeded: hash)
        slots[place(hash) { _ in false }] = Slot(number: UInt32(position + 1), hash: hash)
        count += 1
    }

    /// Where the same is, or where it would be.
    private func place(_ hash: UInt32, _ isSame: (Int) -> Bool) -> Int {
        var place = Int(hash) & (slots.count - 1)
        while slots[place].number != 0 {
            if slots[place].hash == hash, isSame(Int(slots[place].number) - 1) { break }
            place = (place + 1) & (slots.count - 1)
        }
        return place
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        for slot in old where slot.number != 0 {
            slots[place(slot.hash) { _ in false }] = slot
        }
    }
}
