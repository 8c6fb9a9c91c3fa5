// SPDX-License-Identifier: Apache-2.0

/// What the exporter asks of every ingest worker: the latest values, or a window. Number and generation stand in the
/// record's header.
public struct CollectCommand: Equatable, Sendable {
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

    public var payload: [UInt8] {
        var writer = PayloadWriter()
        writer.append(deadlineNanoseconds)
        var flags: UInt8 = 0
        if window != nil { flags |= 1 }
        if role != nil { flags |= 2 }
        if podName != nil { flags |= 4 }
        writer.append(flags)
        writer.append(window?.startNanoseconds ?? 0)
        writer.append(window?.endNanoseconds ?? 0)
        writer.append(role ?? "")
        writer.append(podName ?? "")
        return writer.bytes
    }

    public init?(payload: RawSpan) {
        var reader = PayloadReader(payload)
        do {
            deadlineNanoseconds = try reader.integer()
            let flags = try reader.integer(UInt8.self)
            let start = try reader.integer(Int64.self)
            let end = try reader.integer(Int64.self)
            window = flags & 1 != 0 ? Window(startNanoseconds: start, endNanoseconds: end) : nil
            let role = try reader.string()
            let podName = try reader.string()
            self.role = flags & 2 != 0 ? role : nil
            self.podName = flags & 4 != 0 ? podName : nil
        } catch {
            return nil
        }
        guard reader.isAtEnd else { return nil }
    }
}
