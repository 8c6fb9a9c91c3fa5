// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// One chunk of a download as a gRPC message, made piece by piece: a thousand downloads must not hold a thousand MiB.
///
/// The bytes are gRPC's prefix, then `StreamPressureProfilesRequest` with a `PressureProfileChunk`.
struct ProfileChunkCursor {
    /// Real agents put so much into a message.
    static let maximumDataBytes = 1 << 20
    /// The key of `StreamPressureProfilesRequest.chunk`.
    private static let chunkKey: UInt8 = 0x1A
    private static let requestIDKey: UInt8 = 0x0A
    private static let profileIDKey: UInt8 = 0x12
    private static let typeKey: UInt8 = 0x1A
    private static let dataKey: UInt8 = 0x22
    /// The key of `last`, and true.
    private static let lastField: [UInt8] = [0x28, 1]

    private let content: ProfileContent
    private let head: [UInt8]
    private let tail: [UInt8]
    private var offset: Int
    private let end: Int
    private var isBegun = false
    private(set) var isDone = false

    /// - Parameter offset: of the chunk in the profile.
    init(_ content: ProfileContent, requestID: String, profileID: String, type: String, offset: Int) {
        let count = min(Self.maximumDataBytes, content.byteCount - offset)
        self.content = content
        self.offset = offset
        end = offset + count
        tail = end == content.byteCount ? Self.lastField : []
        var fields: [UInt8] = []
        fields.appendField(Self.requestIDKey, requestID.utf8)
        fields.appendField(Self.profileIDKey, profileID.utf8)
        fields.appendField(Self.typeKey, type.utf8)
        if count > 0 {
            fields.append(Self.dataKey)
            fields.appendVarint(UInt64(count))
        }
        let chunkBytes = fields.count + count + tail.count
        var outer: [UInt8] = [Self.chunkKey]
        outer.appendVarint(UInt64(chunkBytes))
        let messageBytes = UInt32(outer.count + chunkBytes)
        var head: [UInt8] = [0]
        for shift in stride(from: 24, through: 0, by: -8) {
            head.append(UInt8(truncatingIfNeeded: messageBytes >> shift))
        }
        self.head = head + outer + fields
    }

    /// Appends about `byteCount` bytes, a block at most above it, but never nothing before the end.
    mutating func append(to buffer: inout ByteBuffer, about byteCount: Int) {
        let limit = buffer.writerIndex + byteCount
        if !isBegun {
            isBegun = true
            buffer.writeBytes(head)
        }
        while buffer.writerIndex < limit, offset < end {
            offset += content.append(to: &buffer, from: offset, limit: end - offset)
        }
        guard offset == end, !isDone else { return }
        buffer.writeBytes(tail)
        isDone = true
    }
}
