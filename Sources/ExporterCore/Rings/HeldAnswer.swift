// SPDX-License-Identifier: Apache-2.0
import Rings

/// Where in a ring an agent's answer stands. Its bytes stay there until somebody wants them: a thousand agents' reports
/// take no memory of this process.
struct HeldAnswer {
    struct Key: Hashable {
        var type: RecordType
        var subject: UInt64
    }

    var position: UInt64
    /// The same for a record and its compacted copies.
    var sequence: UInt64
    var arrival: ReceiveTime
    var byteCount: Int

    /// Wall clock, nanoseconds since the epoch.
    var receivedAtNanoseconds: Int64 { arrival.wallNanoseconds }

    init(_ header: RecordHeader, _ reading: Reading) {
        byteCount = header.byteCount
        position = header.position
        sequence = header.sequence
        let receivedAt = Int64(bitPattern: header.number)
        arrival = ReceiveTime(origin: reading.origin(ofReceivedAt: receivedAt), wallNanoseconds: receivedAt)
    }
}
