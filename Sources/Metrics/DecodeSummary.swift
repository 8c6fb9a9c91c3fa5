// SPDX-License-Identifier: Apache-2.0

/// What came of one message.
public struct DecodeSummary: Sendable, Equatable {
    /// Metrics in the message.
    public var samplesReceived = 0
    /// Those of them that are in the column (or, of a window answer, in its points).
    public var samplesAccepted = 0
    /// Those that were left out. `samplesReceived == samplesAccepted + drops.total`.
    public var drops = DropCounts()
    /// The agent's table is another than before: its `series` record goes ahead of the sample.
    public var isTableChanged = false
    /// The samples do not share one time.
    public var hasTimesOfItsOwn = false

    public init() {}
}

/// The message is not protobuf. Nothing of it is kept.
public enum DecodeError: Error, Equatable, CustomStringConvertible {
    /// `offset` is the byte of the message at which it stopped making sense.
    case malformed(offset: Int, reason: String)

    public var description: String {
        switch self {
        case .malformed(let offset, let reason): "malformed message at byte \(offset): \(reason)"
        }
    }
}
