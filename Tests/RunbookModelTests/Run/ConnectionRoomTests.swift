import RunbookModel
import Testing

@Suite struct ConnectionRoomTests {
    /// Guarantee: a refusal takes room away, never the last, and what was refused comes back one by one.
    @Test func refusalsShrinkAndRenewalsGrow() {
        for share in 1...12 {
            for held in -1...12 {
                var room = ConnectionRoom(share: share)
                room.refuse(held: held)
                #expect((1...share).contains(room.count))
                #expect(share == 1 || room.count < share)
                var last = room.count
                for _ in 0..<share {
                    room.renew(share: share)
                    #expect(room.count == min(share, last + 1))
                    last = room.count
                }
                #expect(room.count == share)
            }
        }
    }

    /// Guarantee: a smaller share is taken at once, a larger one too unless a server has refused.
    @Test func shareIsFollowed() {
        for before in 0...8 {
            for after in 0...8 {
                var room = ConnectionRoom(share: before)
                room.renew(share: after)
                #expect(room.count == after)
            }
        }
        var room = ConnectionRoom(share: 8)
        for _ in 0..<20 { room.refuse(held: 0) }
        room.renew(share: 16)
        #expect(room.count == 2)
        room.renew(share: 1)
        #expect(room.count == 1)
    }

    @Test func noShareIsNoRoom() {
        var room = ConnectionRoom(share: 0)
        room.refuse(held: 0)
        #expect(room.count == 0)
    }
}
