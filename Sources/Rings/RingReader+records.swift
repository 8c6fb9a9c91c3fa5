// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Glibc
import Platform

extension RingReader {
    /// The outcome of an attempt to read.
    public enum Outcome: Equatable, Sendable {
        /// The body has been called with a record.
        case record
        /// There is nothing to read yet.
        case empty
        /// The writer has overwritten what was next; reading goes on at the tail. For ``read(at:_:)``: what stood there is
        /// gone.
        case lapped(lostBytes: UInt64)
        /// No whole record stood there. Reading goes on behind it, since its length can be trusted.
        case damaged(position: UInt64, reason: String)
        /// The header's words make no sense, or no record stands where the next is to be. Reading goes on nowhere: the
        /// writer puts right what is wrong in the header (``RingWriter/repairHeader()``). For what does not become right
        /// there is ``RingReader/skipDamage()``, after a while (``ReadStall``).
        case stalled(reason: String)
    }

    /// Reads the next record and moves on. The payload is only valid in `body`. At most one record a call.
    public func next(_ body: (RecordHeader, RawSpan) -> Void) -> Outcome {
        switch copyRecord(at: position) {
        case .record(let header, let recordBytes, _):
            position += UInt64(recordBytes)
            hand(header, to: body)
            return .record
        case .empty:
            return .empty
        case .lapped(let tail):
            let lost = tail - position
            position = tail
            return .lapped(lostBytes: lost)
        case .damaged(let recordBytes, let reason):
            guard let recordBytes else { return .stalled(reason: reason) }
            let damaged = position
            position += UInt64(recordBytes)
            return .damaged(position: damaged, reason: reason)
        }
    }

    /// Reads the record that stands at a position which a slot has named; does not move ``position``.
    public func read(at position: UInt64, _ body: (RecordHeader, RawSpan) -> Void) -> Outcome {
        switch copyRecord(at: position) {
        case .record(let header, _, _):
            hand(header, to: body)
            return .record
        case .empty: return .empty
        case .lapped(let tail): return .lapped(lostBytes: tail - position)
        case .damaged(_, let reason): return .damaged(position: position, reason: reason)
        }
    }

    /// The fate of a record since it was read.
    public enum RecordState: Equatable, Sendable {
        /// It is there, and is compacted when the tail comes to it.
        case current
        /// Its bytes are there as long as nobody needs their room.
        case forgotten
        /// Overwritten; if it is current, its copy is further on.
        case gone
    }

    /// Of the record at a position where one was read before. Looks at its header alone.
    public func state(at position: UInt64) -> RecordState {
        guard case .record(let header, _, let isForgotten) = copyRecord(at: position, withPayload: false) else {
            return .gone
        }
        return header.isCurrent && !isForgotten ? .current : .forgotten
    }

    /// Walks over all that is between tail and head without touching payloads: what is current in a ring of gigabytes is
    /// found in milliseconds. A record that is handed over may be gone when its payload is read.
    ///
    /// - Parameter body: a header, and whether the record has been forgotten by its writer.
    public func scanHeaders(_ body: (RecordHeader, _ isForgotten: Bool) -> Void) {
        var next = tail
        while !scanHeaders(from: &next, atMost: .max, body) {}
    }

    /// The same in parts, for who has other things to do in between.
    ///
    /// - Parameter next: where to begin, the tail or later; afterwards where to go on.
    /// - Returns: whether the head has been reached, or bytes that are not a record.
    public func scanHeaders(
        from next: inout UInt64, atMost count: Int, _ body: (RecordHeader, _ isForgotten: Bool) -> Void
    ) -> Bool {
        for _ in 0..<count {
            switch copyRecord(at: next, withPayload: false) {
            case .record(let header, let recordBytes, let isForgotten):
                next += UInt64(recordBytes)
                body(header, isForgotten)
            case .lapped(let tail): next = tail
            case .damaged:
                guard let sound = nextRecord(after: next) else { return true }
                next = sound
            case .empty: return true
            }
        }
        return false
    }

    private func hand(_ header: RecordHeader, to body: (RecordHeader, RawSpan) -> Void) {
        // The scratch holds the payload, of that many bytes, until the next record is read; `body` cannot keep the span.
        let payload = UnsafeRawBufferPointer(start: scratch.reserve(header.byteCount), count: header.byteCount)
        body(header, payload.bytes)
        scratch.trim()
    }

    private enum Copied {
        case record(RecordHeader, recordBytes: Int, isForgotten: Bool)
        case empty
        case lapped(tail: UInt64)
        /// With the record's length if its header can be trusted.
        case damaged(recordBytes: Int?, String)
    }

    /// Growing takes the writer longer than reading a record takes us: a writer that moves the ring this often is not one of ours.
    private static let attempts = 100

    private func copyRecord(at position: UInt64, withPayload: Bool = true) -> Copied {
        for _ in 0..<Self.attempts {
            if let copied = tryCopyRecord(at: position, withPayload: withPayload) { return copied }
        }
        return .damaged(recordBytes: nil, "the ring does not hold still")
    }

    /// Nil when the ring has moved meanwhile.
    private func tryCopyRecord(at position: UInt64, withPayload: Bool) -> Copied? {
        let head = self.head
        if position == head { return .empty }
        guard head < RingRemains.positionLimit else { return damaged("the head is no position") }
        let tail = self.tail
        if position < tail { return lapped(by: tail) }
        guard position < head else { return damaged("the head is before it") }
        guard position % UInt64(RingLayout.recordAlignmentBytes) == 0 else { return damaged("no record starts here") }
        if let reason = followGeometry() { return damaged(reason) }
        guard let area, let geometry else { return damaged("there is no ring") }
        guard position >= geometry.base, head - position <= UInt64(geometry.capacityBytes) else {
            // The ring may be newer than the head and the tail that we have read.
            return hasMoved || self.tail > position ? nil : damaged("the ring is shorter than its content")
        }
        let source = area.base + geometry.offset(of: position)
        let words = RecordHeaderWords(from: source)
        let flaw = words.flaw(at: position, end: head)
        // Only if the header is sound is its length, now at most the capacity, used to copy by.
        let payloadBytes = words.payloadBytes
        if flaw == nil, withPayload {
            memcpy(scratch.reserve(payloadBytes), source + RecordLayout.headerBytes, payloadBytes)
        }
        if let copiedHook { copiedHook() }
        // The copy is the record that stood there if, after the copying, the tail has not passed it nor the ring moved.
        fodc_fence_acquire()
        let tailNow = self.tail
        if tailNow > position { return lapped(by: tailNow) }
        if hasMoved { return nil }
        if let flaw { return .damaged(recordBytes: nil, flaw) }
        let whole = Copied.record(words.header, recordBytes: words.recordBytes, isForgotten: words.isForgotten)
        guard withPayload else { return whole }
        let payload = UnsafeRawBufferPointer(start: scratch.reserve(payloadBytes), count: payloadBytes)
        guard CRC32C.checksum(payload) == words.payloadChecksum else {
            return .damaged(recordBytes: words.recordBytes, "the payload's checksum is wrong")
        }
        return whole
    }

    /// Whether a whole header stands there.
    func isRecord(at position: UInt64) -> Bool {
        if case .record = copyRecord(at: position, withPayload: false) { true } else { false }
    }

    private func lapped(by tail: UInt64) -> Copied {
        guard tail < RingRemains.positionLimit else { return damaged("the tail is no position") }
        // The head is read after the tail here, so that a writer of ours has not got past it meanwhile.
        return tail <= head ? .lapped(tail: tail) : damaged("the tail is beyond the head")
    }

    private func damaged(_ reason: String) -> Copied { .damaged(recordBytes: nil, reason) }

    private var hasMoved: Bool {
        words.loadAcquire(RingLayout.Header.geometry.counter) != geometryCount
    }

    /// Maps the ring where it is now, if it has moved. Returns what is wrong with its place.
    func followGeometry() -> String? {
        let count = words.loadAcquire(RingLayout.Header.geometry.counter)
        if area != nil, count == geometryCount { return nil }
        guard let next = memory.readGeometry() else { return "the ring is outside the file" }
        if next != geometry || area == nil {
            area = nil
            do {
                area = try memory.mapArea(next)
            } catch {
                return error.description
            }
            geometry = next
        }
        // Read before the words: if they are newer than it, the check after copying finds the counter moved.
        geometryCount = count
        return nil
    }
}
