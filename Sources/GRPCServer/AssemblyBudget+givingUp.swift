// SPDX-License-Identifier: Apache-2.0
import Platform

/// Which messages go when turns do not make room.
extension AssemblyBudget {
    /// Messages given up in one tick: some 20 ms of work.
    private static let mostGivenUpAtOnce = 2000

    /// Some room beyond the limit, or those who come next would only stall again.
    private var targetBytes: Int { limitBytes - limitBytes / 4 }

    /// Gives up messages older than the stall timeout until there is room: on connections of strangers first, then of the
    /// source, and of its connection, that holds most in such messages; the largest first.
    func cutBack(beyondShares factor: Int) {
        unfinishedCutBack = nil
        var count = 0
        for holder in oldHolders(beyondShares: factor) {
            for message in holder.oldMessages(stallNanoseconds, nowNanoseconds).sorted(by: { $0.bytes > $1.bytes }) {
                guard usedBytes > targetBytes else { return }
                guard count < Self.mostGivenUpAtOnce else {
                    unfinishedCutBack = factor
                    return
                }
                giveUp(message)
                count += 1
            }
        }
    }

    private func oldHolders(beyondShares factor: Int) -> [AssemblyHolder] {
        var found: [(holder: AssemblyHolder, rank: (Int, Int, Int))] = []
        for source in sources.values {
            let candidates = source.holders.compactMap { holder -> (AssemblyHolder, Int)? in
                guard holder.bytes > factor * share(of: holder) else { return nil }
                let bytes = holder.oldMessages(stallNanoseconds, nowNanoseconds).reduce(0) { $0 + $1.bytes }
                return bytes > 0 ? (holder, bytes) : nil
            }
            let sourceBytes = candidates.reduce(0) { $0 + $1.1 }
            found += candidates.map { ($0.0, ($0.0.isStranger ? 1 : 0, sourceBytes, $0.1)) }
        }
        return found.sorted { $0.rank > $1.rank }.map(\.holder)
    }

    /// The largest message of the connection that holds most, of the source that does.
    func largest() -> UnfinishedMessage? {
        let source = sources.values.max { $0.bytes < $1.bytes }
        let holder = source?.holders.max { $0.bytes < $1.bytes }
        return holder?.messages.max { $0.bytes < $1.bytes }
    }

    func giveUp(_ message: UnfinishedMessage) {
        // The holder ends its call, which removes the message; removing again does no harm.
        message.holder?.giveUp()
        remove(message)
    }
}
