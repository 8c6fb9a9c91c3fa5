// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// One answer on a metrics stream, made piece by piece as the connection can take it: a thousand agents that are
/// asked at once by a proxy that reads slowly must not hold a thousand whole answers.
///
/// The bytes are a gRPC message (5 bytes of prefix, then `StreamMetricsRequest`): the metrics of the templates, for
/// each moment asked for; then metrics that were encoded before; then the time of the answer.
struct AnswerCursor {
    /// Of gRPC: a byte that says whether the message is compressed, and its length in 4 bytes.
    static let prefixByteCount = 5

    /// Of the message, without the prefix.
    let messageByteCount: Int
    let sampleCount: Int
    private(set) var isDone = false

    private let templates: TemplateSet?
    private let keys: AnswerKeys
    private let source: ValueSource
    private let points: [Point]
    private let tail: [UInt8]

    private var isBegun = false
    private var generator: SeededGenerator
    private var place = 0
    private var stride = 1
    private var remainingEntries: Int
    private var pointIndex = 0
    private var tailOffset = 0

    private struct Point {
        let seconds: Int64
        /// The 5 bytes of the varint of `seconds`.
        let low: UInt32
        let high: UInt8

        init(seconds: Int64) {
            precondition(
                (RecordingSchedule.earliestSeconds...RecordingSchedule.latestSeconds).contains(seconds),
                "a moment whose varint is not 5 bytes long does not fit the templates")
            let bits = UInt64(bitPattern: seconds)
            self.seconds = seconds
            low = (0..<4).reduce(0) { $0 | (UInt32(truncatingIfNeeded: bits >> ($1 * 7)) & 0x7F | 0x80) << ($1 * 8) }
            high = UInt8(truncatingIfNeeded: bits >> 28)
        }
    }

    /// - Parameters:
    ///   - points: the moments to answer for, each within ``RecordingSchedule``'s range.
    ///   - extra: metrics that were encoded before (fields `metrics`, one after the other).
    ///   - seed: of the order of series and labels.
    init(
        templates: TemplateSet?, keys: AnswerKeys, source: ValueSource, points: [Int64],
        extra: (bytes: [UInt8], sampleCount: Int) = ([], 0), nowNanoseconds: Int64, seed: UInt64
    ) {
        let entryCount = templates?.entries.count ?? 0
        var tail = extra.bytes
        let (seconds, nanoseconds) = nowNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        tail.appendField(
            WireField.lengthDelimited2, [UInt8].timestampFields(seconds: seconds, nanoseconds: Int32(nanoseconds)))
        self.templates = templates
        self.keys = keys
        self.source = source
        self.points = points.map(Point.init)
        self.tail = tail
        remainingEntries = points.isEmpty ? 0 : entryCount
        messageByteCount = (templates?.bytesPerPoint ?? 0) * points.count + tail.count
        sampleCount = entryCount * points.count + extra.sampleCount
        generator = SeededGenerator(seed: seed)
        if entryCount > 1 {
            place = Int.random(in: 0..<entryCount, using: &generator)
            repeat {
                stride = Int.random(in: 1..<entryCount, using: &generator)
            } while !Self.areCoprime(stride, entryCount)
        }
    }

    /// Appends about `byteCount` bytes: whole metrics until there are that many, but never nothing before the end.
    mutating func append(to buffer: inout ByteBuffer, about byteCount: Int) {
        let end = buffer.readableBytes + byteCount
        if !isBegun {
            isBegun = true
            buffer.writeInteger(0 as UInt8)
            buffer.writeInteger(UInt32(messageByteCount))
        }
        if let templates {
            while remainingEntries > 0, buffer.readableBytes < end {
                appendMetric(of: templates, to: &buffer)
            }
        }
        guard remainingEntries == 0, buffer.readableBytes < end else { return }
        let count = min(tail.count - tailOffset, end - buffer.readableBytes)
        buffer.writeBytes(tail[tailOffset..<tailOffset + count])
        tailOffset += count
        isDone = tailOffset == tail.count
    }

    private mutating func appendMetric(of templates: TemplateSet, to buffer: inout ByteBuffer) {
        let index = Int(templates.order[place])
        let entry = templates.entries[index]
        let variant = Int(truncatingIfNeeded: generator.next() & UInt64(TemplateSet.variantCount - 1))
        let point = points[pointIndex]
        let start = entry.start + variant * entry.byteCount
        let at = buffer.writerIndex
        let bytes = templates.bytes
        let metrics = bytes.span
        buffer.writeBytes(metrics.bytes.extracting(start..<start + entry.byteCount))
        if entry.valueOffset > 0 {
            let value = keys.value(of: entry, source: source, seconds: point.seconds)
            buffer.setInteger(value.bitPattern, at: at + entry.valueOffset, endianness: .little)
        }
        buffer.setInteger(point.low, at: at + entry.secondsOffset, endianness: .little)
        buffer.setInteger(point.high, at: at + entry.secondsOffset + 4)
        let podOffset = Int(templates.podOffsets[index * TemplateSet.variantCount + variant])
        if podOffset > 0 { buffer.setBytes(keys.podName, at: at + podOffset) }

        pointIndex += 1
        if pointIndex == points.count {
            pointIndex = 0
            remainingEntries -= 1
            place += stride
            if place >= templates.order.count { place -= templates.order.count }
        }
    }

    private static func areCoprime(_ a: Int, _ b: Int) -> Bool {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return a == 1
    }
}
