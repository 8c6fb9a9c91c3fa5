// SPDX-License-Identifier: Apache-2.0
import BinaryCoding

/// The exporter's command to every ingest worker to ask for the latest values, or a window. Number and generation stand in the
/// record's header.
public struct CollectCommand: RecordPayload, Equatable, Sendable {
    public static let version: UInt8 = 1

    /// Nanoseconds since the epoch, both ends inclusive as the agents take them.
    public struct Window: Equatable, Sendable {
        public var startNanoseconds: Int64
        public var endNanoseconds: Int64

        public init(startNanoseconds: Int64, endNanoseconds: Int64) {
            self.startNanoseconds = startNanoseconds
            self.endNanoseconds = endNanoseconds
        }
    }

    /// `CLOCK_MONOTONIC`: the round is over then, whoever has answered.
    public var deadlineNanoseconds: UInt64
    public var window: Window?
    /// Only agents of this role and this pod are asked; `nil`: all.
    public var role: String?
    public var podName: String?

    public init(deadlineNanoseconds: UInt64, window: Window? = nil, role: String? = nil, podName: String? = nil) {
        self.deadlineNanoseconds = deadlineNanoseconds
        self.window = window
        self.role = role
        self.podName = podName
    }

    public func encode(into writer: inout BinaryWriter) {
        writer.append(deadlineNanoseconds)
        writer.append(optional: window) { writer, window in
            writer.append(window.startNanoseconds)
            writer.append(window.endNanoseconds)
        }
        writer.append(optional: role) { $0.append($1) }
        writer.append(optional: podName) { $0.append($1) }
    }

    public init(from reader: inout BinaryReader) throws(BinaryError) {
        deadlineNanoseconds = try reader.integer()
        window = try reader.optional { (reader) throws(BinaryError) in
            let start = try reader.integer(Int64.self)
            return Window(startNanoseconds: start, endNanoseconds: try reader.integer())
        }
        role = try reader.optional { (reader) throws(BinaryError) in try reader.text() }
        podName = try reader.optional { (reader) throws(BinaryError) in try reader.text() }
    }
}
