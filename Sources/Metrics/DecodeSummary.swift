// SPDX-License-Identifier: Apache-2.0

/// The outcome of one message.
public struct DecodeSummary: Sendable, Equatable {
    /// Metrics in the message.
    public var samplesReceived = 0
    /// Those of them that are in the column (or, of a window answer, in its points).
    public var samplesAccepted = 0
    /// Those that were left out. `samplesReceived == samplesAccepted + drops.total`.
    public var drops = DropCounts()
    /// The first sample that was left out for another reason than being there twice, as an example of them.
    public var firstDropped: DroppedSample?
    /// The agent's table is another than before: its `series` record goes ahead of the sample.
    public var isTableChanged = false

    public init() {}
}

/// A sample that was left out: for the log.
public struct DroppedSample: Sendable, Equatable {
    public var cause: DropCause
    /// The metric's name as far as it is text, without its labels; cut after some bytes.
    public var metric: String

    static let longestNameBytes = 200

    init(_ cause: DropCause, name: RawSpan) {
        self.cause = cause
        metric = String(decoding: name.array(0..<min(name.byteCount, Self.longestNameBytes)), as: UTF8.self)
    }
}

/// The message is not protobuf, or too much work. Nothing of it is kept.
public enum DecodeError: Error, Equatable, CustomStringConvertible {
    /// `offset` is the byte of the message at which it stopped making sense.
    case malformed(offset: Int, reason: String)
    /// More metrics and other fields than ``SeriesLimits/maxEntriesPerMessage``.
    case tooManyEntries(limit: Int)

    public var description: String {
        switch self {
        case .tooManyEntries(let limit): "message of more than \(limit) entries"
        case .malformed(let offset, let reason): "malformed message at byte \(offset): \(reason)"
        }
    }
}

extension DecodeError {
    /// The same error of a message of which what was read began at `base`.
    func moved(by base: Int) -> DecodeError {
        switch self {
        case .malformed(let offset, let reason): .malformed(offset: offset + base, reason: reason)
        case .tooManyEntries: self
        }
    }
}
