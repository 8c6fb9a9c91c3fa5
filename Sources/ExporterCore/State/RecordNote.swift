// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Synchronization

/// Says in the header of the command lane to ingest 0 which record one thread is reading, so that the supervisor can tell
/// a successor what killed this process: ``ExporterNote``.
///
/// `@unchecked Sendable`: what is behind the lock is touched by its holder alone; and a note is one word of the header,
/// which nothing else of the lane's writer touches.
final class RecordNote: @unchecked Sendable {
    private let place: ExporterNote
    private let lock = Mutex<Void>(())
    private var lane: LaneWriter?
    private var name = RecordName.none

    init(_ place: ExporterNote) {
        self.place = place
    }

    /// That lane bears the note from now on; without one it is kept by nobody.
    func stand(in lane: LaneWriter?) {
        lock.withLock { _ in
            self.lane = lane
            lane?.setCounter(place.rawValue, name.word)
        }
    }

    func begin(_ name: RecordName) { set(name) }
    func end() { set(.none) }

    private func set(_ name: RecordName) {
        lock.withLock { _ in
            self.name = name
            lane?.setCounter(place.rawValue, name.word)
        }
    }
}
