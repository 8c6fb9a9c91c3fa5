// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

extension RingWriter {
    /// Appends a record whose payload is `first` and then `second`.
    ///
    /// - Parameters:
    ///   - isCurrent: the record is the newest of its agent, type and subject: it replaces the one before, and is compacted
    ///     forward until it is replaced or forgotten. (For a slot that has been released meanwhile it is only appended.)
    ///   - generation: of the exporter that asked.
    ///   - number: of the request.
    /// - Returns: the record's position.
    /// - Throws: ``RingError/full``, ``RingError/tooLarge(limitBytes:)``, ``RingError/tooMuchCurrent(limitBytes:)``,
    ///   ``RingError/noMemory(errno:)``; nothing is appended then. ``RingError/unusable(_:)`` when the ring was damaged.
    @discardableResult
    public func append(
        _ type: RecordType, agent: SlotRef = .none, generation: UInt64 = 0, number: UInt64 = 0, subject: UInt64 = 0,
        isCurrent: Bool = false, _ first: RawSpan, _ second: RawSpan = RawSpan()
    ) throws(RingError) -> UInt64 {
        let byteCount = first.byteCount + second.byteCount
        let payload = try begin(type, agent: agent, subject: subject, isCurrent: isCurrent, byteCount: byteCount)
        copy(first, to: payload)
        copy(second, to: payload + first.byteCount)
        return finish(
            type, agent: agent, generation: generation, number: number, subject: subject, isCurrent: isCurrent,
            byteCount: byteCount)
    }

    /// Appends a record whose payload `fill` writes straight into the ring: at most `byteCount` bytes, and the payload is
    /// what has been written. When `fill` throws, nothing is appended. The same as above otherwise.
    @discardableResult
    public func append(
        _ type: RecordType, agent: SlotRef = .none, generation: UInt64 = 0, number: UInt64 = 0, subject: UInt64 = 0,
        byteCount: Int, isCurrent: Bool = false, fill: (inout OutputRawSpan) throws(RingError) -> Void
    ) throws(RingError) -> UInt64 {
        precondition(byteCount >= 0, "a payload has no negative length")
        let payload = try begin(type, agent: agent, subject: subject, isCurrent: isCurrent, byteCount: byteCount)
        isFilling = true
        defer { isFilling = false }
        // The memory behind `head` is free: no reader takes anything there for a record before `head` moves.
        let buffer = UnsafeMutableRawBufferPointer(start: payload, count: byteCount)
        var output = OutputRawSpan(buffer: buffer, initializedCount: 0)
        try fill(&output)
        let written = output.finalize(for: buffer)
        return finish(
            type, agent: agent, generation: generation, number: number, subject: subject, isCurrent: isCurrent,
            byteCount: written)
    }

    /// Makes room for a record and says where its payload goes.
    private func begin(
        _ type: RecordType, agent: SlotRef, subject: UInt64, isCurrent: Bool, byteCount: Int
    ) throws(RingError) -> UnsafeMutableRawPointer {
        precondition(!isFilling, "a record is appended while another is being filled")
        guard byteCount <= maximumPayloadBytes else { throw .tooLarge(limitBytes: maximumPayloadBytes) }
        try makeRoom(
            for: RingLayout.recordBytes(payloadBytes: byteCount), type: type, agent: agent, subject: subject,
            isCurrent: isCurrent && isTenant(agent))
        return address(of: head) + RecordLayout.headerBytes
    }

    /// Writes the header before the payload, publishes both, and says what is current now.
    private func finish(
        _ type: RecordType, agent: SlotRef, generation: UInt64, number: UInt64, subject: UInt64, isCurrent: Bool,
        byteCount: Int
    ) -> UInt64 {
        let isCurrent = isCurrent && isTenant(agent)
        let position = head
        let record = address(of: position)
        let payload = record + RecordLayout.headerBytes
        let recordBytes = RingLayout.recordBytes(payloadBytes: byteCount)
        memset(payload + byteCount, 0, recordBytes - RecordLayout.headerBytes - byteCount)
        didStep(.payloadWritten)
        let header = RecordHeader(
            type: type, isCompacted: false, isCurrent: isCurrent, agent: agent, position: position,
            sequence: nextSequence,
            generation: generation, number: number, subject: subject, byteCount: byteCount)
        let checksum = CRC32C.checksum(UnsafeRawBufferPointer(start: payload, count: byteCount))
        RecordHeaderWords(header, payloadChecksum: checksum).write(to: record)
        didStep(.headerWritten)
        // The number is taken before the record is there: a gap is harmless, a number twice would not be.
        nextSequence += 1
        words.storeRelaxed(RingLayout.Header.nextSequence, nextSequence)
        publishHead(position + UInt64(recordBytes))
        didStep(.headPublished)
        if isCurrent {
            let known = CurrentRecords.Record(
                type: type, subject: subject, position: position, sequence: header.sequence, byteCount: recordBytes)
            current.set(known, slot: agent.index)
            setSlotPosition(of: type, slot: agent.index, to: position)
        }
        return position
    }

    private func copy(_ span: RawSpan, to target: UnsafeMutableRawPointer) {
        span.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { memcpy(target, start, bytes.count) }
        }
    }
}
