// SPDX-License-Identifier: Apache-2.0

/// The purpose of a lane. All kinds have one layout and one size.
public enum LaneKind: UInt32, Sendable {
    /// Written by an ingest worker.
    case up = 1
    /// Commands, written by the exporter.
    case down = 2
    /// State that the exporter has computed itself and must survive it.
    case state = 3

    /// How large a ring is at first. A ring that goes round touches all its pages, so those that carry little are small.
    public var initialRingBytes: Int {
        switch self {
        case .up: 16 << 20
        case .down, .state: 1 << 20
        }
    }
}
