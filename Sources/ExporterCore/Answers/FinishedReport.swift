// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import NIOCore
import TestHooks

/// A report as it comes from its thread.
struct MadeReport: Sendable {
    let bytes: ByteBuffer
    /// Records in answers that had no key.
    let dropped: Int
    /// Agents that were asked and are not in it.
    let leftOut: Int
    let stored: StoredLack

    init(_ json: [UInt8], dropped: Int = 0, leftOut: Int = 0, stored: StoredLack = StoredLack()) {
        bytes = ByteBuffer(bytes: json)
        self.dropped = dropped
        self.leftOut = leftOut
        self.stored = stored
    }
}

/// A finished report. All who have asked the same share it, and it is held until the last of them has taken it.
final class FinishedReport {
    /// Smaller ones are not held: a connection takes as much of any answer.
    static let unheldBytes = 256 * 1024

    let leftOut: Int
    let stored: StoredLack
    fileprivate let bytes: ByteBuffer
    private let lease: ReportBudget.Lease?

    init(_ made: MadeReport, _ budget: ReportBudget) throws(ReportFailure) {
        let byteCount = made.bytes.readableBytes
        lease = byteCount > Self.unheldBytes ? try budget.reserve(reportBytes: byteCount) : nil
        leftOut = made.leftOut
        stored = made.stored
        bytes = made.bytes
    }

    var isHeld: Bool { lease != nil }

    /// For one more client.
    var body: HTTPBody {
        let bytes = bytes
        TestHooks.trapOnPoison(inAnswer: bytes.readableBytesSpan)
        return isHeld ? .sized(ReportBody(self), byteCount: bytes.readableBytes) : .bytes(bytes)
    }
}

/// A report, slice by slice, at the pace of the client.
struct ReportBody: HTTPBodyProducer {
    private let report: FinishedReport
    private var unsent: ByteBuffer

    init(_ report: FinishedReport) {
        self.report = report
        unsent = report.bytes
    }

    mutating func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress {
        guard var slice = unsent.readSlice(length: min(unsent.readableBytes, targetBytes)) else { return .failed }
        buffer.writeBuffer(&slice)
        return unsent.readableBytes == 0 ? .done : .more
    }
}
