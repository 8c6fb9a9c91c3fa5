// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import RingMessages
import SwiftProtobuf

/// StreamCrashDiagnostics: an agent sends a record for each of its crash folders, and never says that it has sent all.
extension StreamDescription {
    static let crashDiagnostics = StreamDescription(
        .crashDiagnostics,
        request: .constant(
            bytes(Banyandb_Fodc_V1_StreamCrashDiagnosticsResponse.with { $0.requestDiagnostics = true })),
        answer: .records
    ) { try ParsedMessage(Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest.self, $0, content: crashRecord) }

    private static func crashRecord(
        _ message: Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest
    ) -> ParsedMessage.Content {
        guard !message.artifactDir.isEmpty else { return .withoutKey(isLast: false) }
        let hasTime = message.panicRecord.hasOccurredAt
        let time = hasTime ? message.panicRecord.occurredAt : message.fetchedAt
        return .record(
            RecordKey(subject: SubjectHash.of(message.artifactDir), time: nanoseconds(time)), isTimeFetched: !hasTime)
    }

    /// The nearest that Int64 reaches: an agent may send any number of seconds.
    private static func nanoseconds(_ time: Google_Protobuf_Timestamp) -> Int64 {
        let (product, isOver) = time.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !isOver else { return time.seconds < 0 ? .min : .max }
        let (sum, isSumOver) = product.addingReportingOverflow(Int64(time.nanos))
        return isSumOver ? product : sum
    }
}
