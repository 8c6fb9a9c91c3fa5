// SPDX-License-Identifier: Apache-2.0
import Lanes

/// Where in a lane an agent's answer stands. Its bytes stay there until somebody wants them: a thousand agents' reports
/// take no memory of this process.
struct HeldAnswer {
    struct Key: Hashable {
        var type: RecordType
        var subject: UInt64
    }

    var position: UInt64
    /// The same for a record and its carried copies.
    var sequence: UInt64
    /// Wall clock, nanoseconds since the epoch.
    var receivedAtNanoseconds: Int64

    var byteCount: Int

    init(_ header: RecordHeader) {
        byteCount = header.byteCount
        position = header.position
        sequence = header.sequence
        receivedAtNanoseconds = Int64(bitPattern: header.number)
    }
}
