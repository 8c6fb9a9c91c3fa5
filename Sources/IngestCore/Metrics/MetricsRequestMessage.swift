// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import RingMessages
import SwiftProtobuf

/// The messages that ask an agent for metrics.
enum MetricsRequestMessage {
    /// A StreamMetricsResponse with neither time set.
    static let latest: [UInt8] = []

    static func window(_ window: CollectCommand.Window) -> [UInt8] {
        var message = Banyandb_Fodc_V1_StreamMetricsResponse()
        message.startTime = timestamp(window.startNanoseconds)
        message.endTime = timestamp(window.endNanoseconds)
        guard let bytes: [UInt8] = try? message.serializedBytes() else {
            preconditionFailure("a StreamMetricsResponse always serializes: proto3 has no required fields")
        }
        return bytes
    }

    private static func timestamp(_ nanoseconds: Int64) -> Google_Protobuf_Timestamp {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        // Nanos count forward from the second, also before the epoch.
        return rest < 0
            ? .init(seconds: seconds - 1, nanos: Int32(rest + 1_000_000_000))
            : .init(seconds: seconds, nanos: Int32(rest))
    }
}
