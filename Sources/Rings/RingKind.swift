// SPDX-License-Identifier: Apache-2.0

/// The purpose of a ring. All kinds have one layout and one size.
public enum RingKind: UInt32, Sendable {
    /// Written by an ingest worker.
    case data = 1
    /// Commands, written by the exporter.
    case command = 2
    /// State that the exporter has computed itself and must survive it.
    case state = 3

    /// How large a ring is at first. A ring that goes round touches all its pages, so those that carry little are small.
    public var initialRingBytes: Int {
        switch self {
        case .data: 16 << 20
        case .command, .state: 1 << 20
        }
    }
}
