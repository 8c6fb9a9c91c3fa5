// SPDX-License-Identifier: Apache-2.0
import Lanes

/// Says in the state lane's header which record one thread is reading, so that a successor knows what killed this process.
///
/// `@unchecked Sendable`: a note is one word of the header that is stored as a whole, and no other thread writes it;
/// nothing else of the lane's writer is touched.
final class RecordNote: @unchecked Sendable {
    /// The header's counters that are notes.
    enum Place: Int, CaseIterable {
        case eventLoop = 0
        case reportThread = 1
    }

    private let lane: LaneWriter
    private let place: Place

    init(_ place: Place, lane: LaneWriter) {
        self.lane = lane
        self.place = place
    }

    func begin(_ name: RecordName) { lane.setCounter(place.rawValue, name.word) }
    func end() { lane.setCounter(place.rawValue, RecordName.none.word) }
}
