// SPDX-License-Identifier: Apache-2.0

/// The bytes of all reports together: answers of agents that are being made into one, and finished reports that clients have
/// not taken yet. It is asked before anything is copied. The slowest clients make way for what comes next.
final class ReportBudget {
    /// Where there is memory enough.
    static let maximumBytes = 192 << 20

    private var bytes: ByteBudget
    /// Of finished reports.
    private(set) var heldBytes = 0
    /// Ends the answer to the client that takes its report most slowly; false when none is slow.
    var cutSlowestReader: () -> Bool = { false }

    var limitBytes: Int { bytes.limitBytes }
    var usedBytes: Int { bytes.usedBytes }

    init(limitBytes: Int) {
        bytes = ByteBudget(limitBytes: limitBytes)
    }

    /// For answers that are about to be copied.
    func reserve(answerBytes: Int) throws(ReportFailure) -> Lease {
        guard answerBytes <= limitBytes else { throw .tooLarge(limitBytes: limitBytes) }
        return try reserve(answerBytes, isHeld: false)
    }

    /// For a report that is finished.
    func reserve(reportBytes: Int) throws(ReportFailure) -> Lease {
        guard reportBytes <= limitBytes else { throw .reportTooLarge(limitBytes: limitBytes) }
        return try reserve(reportBytes, isHeld: true)
    }

    private func reserve(_ byteCount: Int, isHeld: Bool) throws(ReportFailure) -> Lease {
        var isTaken = bytes.take(byteCount)
        while !isTaken, cutSlowestReader() { isTaken = bytes.take(byteCount) }
        guard isTaken else { throw .tooManyBytes(usedBytes) }
        if isHeld { heldBytes += byteCount }
        return Lease(byteCount, isHeld: isHeld, of: self)
    }

    private func giveBack(_ byteCount: Int, isHeld: Bool) {
        bytes.giveBack(byteCount)
        if isHeld { heldBytes -= byteCount }
    }

    /// Bytes that are taken until it is ended, or let go of.
    final class Lease {
        private var byteCount: Int
        private let isHeld: Bool
        private weak var owner: ReportBudget?

        fileprivate init(_ byteCount: Int, isHeld: Bool, of owner: ReportBudget) {
            self.byteCount = byteCount
            self.isHeld = isHeld
            self.owner = owner
        }

        /// On the event loop. After that it may be let go of anywhere.
        func end() {
            guard byteCount > 0 else { return }
            owner?.giveBack(byteCount, isHeld: isHeld)
            byteCount = 0
        }

        deinit { end() }
    }
}
