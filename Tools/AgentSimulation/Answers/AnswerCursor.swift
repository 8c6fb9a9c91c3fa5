// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Platform

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
    private var walk: BlockWalk
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
        var tail = extra.bytes
        let (seconds, nanoseconds) = nowNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        tail.appendField(
            WireField.lengthDelimited2, [UInt8].timestampFields(seconds: seconds, nanoseconds: Int32(nanoseconds)))
        self.templates = templates
        self.keys = keys
        self.source = source
        self.points = points.map(Point.init)
        self.tail = tail
        messageByteCount = (templates?.bytesPerPoint ?? 0) * points.count + tail.count
        sampleCount = (templates?.members.count ?? 0) * points.count + extra.sampleCount
        walk = BlockWalk(blockCount: templates?.blocks.count ?? 0, pointCount: points.count, seed: seed)
    }

    /// Appends about `byteCount` bytes: whole blocks of metrics until there are that many, but never nothing before
    /// the end.
    mutating func append(to buffer: inout ByteBuffer, about byteCount: Int) {
        let end = buffer.writerIndex + byteCount
        if !isBegun {
            isBegun = true
            buffer.writeInteger(0 as UInt8)
            buffer.writeInteger(UInt32(messageByteCount))
        }
        if let templates, !walk.isDone { appendBlocks(of: templates, to: &buffer, until: end) }
        guard walk.isDone, buffer.writerIndex < end else { return }
        let count = min(tail.count - tailOffset, end - buffer.writerIndex)
        buffer.writeBytes(tail[tailOffset..<tailOffset + count])
        tailOffset += count
        isDone = tailOffset == tail.count
    }

    private mutating func appendBlocks(of templates: TemplateSet, to buffer: inout ByteBuffer, until end: Int) {
        let wanted = end - buffer.writerIndex
        guard wanted > 0 else { return }
        var walk = walk
        let (keys, source, points) = (keys, source, points)
        buffer.writeWithOutputRawSpan(minimumWritableBytes: wanted + templates.largestBlockBytes) { span in
            span.withByteWriter { writer in
                while !walk.isDone, writer.count < wanted {
                    let block = templates.blocks[walk.block]
                    let point = points[walk.point]
                    let variant = walk.step()
                    Self.append(block, variant, of: templates, point, keys, source, to: &writer)
                }
            }
        }
        self.walk = walk
    }

    @inline(__always)
    private static func append(
        _ block: TemplateSet.Block, _ variant: Int, of templates: TemplateSet, _ point: Point, _ keys: AnswerKeys,
        _ source: ValueSource, to writer: inout ByteWriter
    ) {
        let start = writer.count
        let bytes = templates.bytes
        writer.append(bytes.span.bytes, from: block.start + variant * block.byteCount, byteCount: block.byteCount)
        writer.truncate(to: start)  // patched while it lies ahead of the end
        let firstPatch = block.firstMember * TemplateSet.variantCount + variant * block.memberCount
        for index in firstPatch..<firstPatch + block.memberCount {
            let patch = templates.patches[index]
            if patch.value > 0 {
                let member = templates.members[block.firstMember + Int(patch.member)]
                let value = keys.value(
                    model: member.model, childKey: member.childKey, textKey: member.textKey, source: source,
                    seconds: point.seconds)
                writer.store(value.bitPattern.littleEndian, ahead: Int(patch.value))
            }
            writer.store(point.low.littleEndian, ahead: Int(patch.seconds))
            writer.store(point.high, ahead: Int(patch.seconds) + 4)
            if patch.podName > 0 { keys.podName.write(to: &writer, ahead: Int(patch.podName)) }
        }
        writer.advance(by: block.byteCount)
    }
}
