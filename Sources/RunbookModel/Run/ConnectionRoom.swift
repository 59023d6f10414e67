/// How many connections a runner's workers may have now: its share, and fewer while a server refuses more.
package struct ConnectionRoom: Sendable, Hashable {
    package private(set) var share: Int
    /// At most the share.
    package private(set) var count: Int

    package init(share: Int) {
        self.share = share
        count = share
    }

    /// Takes a new share. What a server refused comes back one by one, each time that the share is made.
    package mutating func renew(share: Int) {
        count = min(share, isCut ? count + 1 : share)
        self.share = share
    }

    /// A server took no more: one less is tried from now on, but never none.
    ///
    /// - Parameter held: connections that the workers have, without the one that was refused.
    package mutating func refuse(held: Int) {
        count = max(min(1, share), min(count - 1, held))
    }

    private var isCut: Bool { count < share }
}
