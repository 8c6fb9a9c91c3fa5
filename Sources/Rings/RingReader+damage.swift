// SPDX-License-Identifier: Apache-2.0
import Platform

extension RingReader {
    /// The flaw by which a writer of ours cannot have left the header; `nil`: none.
    public var headerFlaw: String? {
        if let flaw = memory.flaw(kind: kind) { return flaw }
        var flaw: String?
        // Head, tail and geometry are not of one moment while somebody writes.
        for _ in 0..<Self.looksAtHeader {
            guard let geometry = memory.readGeometry() else {
                flaw = "its ring is outside the file"
                continue
            }
            flaw = RingRemains.flaw(geometry, tail: tail, head: head)
            if flaw == nil { return nil }
        }
        return flaw
    }

    private static let looksAtHeader = 100

    /// Skips what is not a record: to the next record whose header is whole, or else to the head.
    ///
    /// - Returns: how many bytes were left out; `nil` when the header's words make no sense: nothing has moved.
    public func skipDamage() -> UInt64? {
        guard headerFlaw == nil else { return nil }
        let before = position
        let (tail, head) = (tail, head)
        if position < tail {
            position = tail
        } else {
            position = nextRecord(after: position) ?? head
        }
        return position > before ? position - before : 0
    }

    /// Bytes that are searched for a record at most, a millisecond of work. A larger damage is skipped up to the head.
    private static let searchedBytes: UInt64 = 1 << 20

    /// The next position behind this one where a record's header stands: a header holds its position and a checksum, so
    /// nothing else is taken for one.
    func nextRecord(after position: UInt64) -> UInt64? {
        let step = UInt64(RingLayout.recordAlignmentBytes)
        let head = self.head
        guard head < RingRemains.positionLimit, position < head, followGeometry() == nil else { return nil }
        var next = position / step * step + step
        let end = min(head, next + Self.searchedBytes)
        while next < end {
            if isRecordLikely(at: next), isRecord(at: next) { return next }
            next += step
        }
        return nil
    }

    /// Looks at the one word that tells most.
    private func isRecordLikely(at position: UInt64) -> Bool {
        guard let area, let geometry, position >= geometry.base else { return false }
        // The ring is mapped twice, so the word behind the last one is there.
        let source = SharedWords(base: area.base + geometry.offset(of: position))
        return source.loadRelaxed(RecordHeaderWords.positionWord * RingLayout.wordBytes) == position
    }
}

/// A reader that stands still: since when, and whether its writer has had its time to put right what is wrong.
public struct ReadStall: Sendable {
    /// Writers look at their headers four times a second.
    public static let timeoutNanoseconds: UInt64 = 1_000_000_000

    public let position: UInt64
    public let sinceNanoseconds: UInt64
    public let reason: String

    public init(position: UInt64, reason: String, nowNanoseconds: UInt64) {
        self.position = position
        self.reason = reason
        sinceNanoseconds = nowNanoseconds
    }

    public func isOver(nowNanoseconds now: UInt64) -> Bool {
        now.elapsed(since: sinceNanoseconds) >= Self.timeoutNanoseconds
    }
}
