// SPDX-License-Identifier: Apache-2.0

/// Claims under way, in a line for each identity: of one line only the earliest has its turn. A look at them all is cut
/// into rounds that the owner goes through as far as it has time: a client can open any number of claims.
struct ClaimLines<Claim: AnyObject> {
    private struct Place {
        let mark: ClaimMark
        let claim: Claim
    }

    private var lines: [UInt64: [Place]] = [:]
    /// Identities that have not had their turn in this round.
    private var round: [UInt64] = []
    private(set) var count = 0

    init() {}

    var isEmpty: Bool { count == 0 }

    /// Each once, in no order.
    var all: some Sequence<Claim> { lines.values.lazy.joined().map(\.claim) }

    func line(of identityHash: UInt64) -> [Claim] { (lines[identityHash] ?? []).map(\.claim) }

    func isFirst(_ claim: Claim, of identityHash: UInt64) -> Bool { lines[identityHash]?.first?.claim === claim }

    mutating func insert(_ claim: Claim, of identityHash: UInt64, mark: ClaimMark) {
        var line = lines[identityHash] ?? []
        // Nearly always the last; the clock may have been set back.
        let place = line.lastIndex { $0.mark <= mark }.map { $0 + 1 } ?? 0
        line.insert(Place(mark: mark, claim: claim), at: place)
        lines[identityHash] = line
        count += 1
    }

    /// - Returns: whether it was there.
    mutating func remove(_ claim: Claim, of identityHash: UInt64) -> Bool {
        guard var line = lines[identityHash], let place = line.firstIndex(where: { $0.claim === claim }) else {
            return false
        }
        line.remove(at: place)
        lines[identityHash] = line.isEmpty ? nil : line
        count -= 1
        return true
    }

    /// Begins a round, unless one is under way.
    mutating func beginRound() {
        if round.isEmpty { round = Array(lines.keys) }
    }

    /// Whose turn it is; `nil` at the end of the round.
    mutating func next() -> Claim? {
        while let identityHash = round.popLast() {
            if let first = lines[identityHash]?.first { return first.claim }
        }
        return nil
    }
}
