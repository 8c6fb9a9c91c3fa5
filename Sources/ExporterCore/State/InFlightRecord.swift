// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings
import Synchronization

/// Says in the header of the command ring to ingest 0 which record one thread is reading, so that the supervisor can tell
/// a successor what killed this process: ``ExporterMarker``.
///
/// `@unchecked Sendable`: what is behind the lock is touched by its holder alone; and a marker is one word of the header,
/// which nothing else of the ring's writer touches.
final class InFlightRecord: @unchecked Sendable {
    private let place: ExporterMarker
    private let lock = Mutex<Void>(())
    private var ring: RingWriter?
    private var name = RecordName.none

    init(_ place: ExporterMarker) {
        self.place = place
    }

    /// That ring bears the marker from now on; without one it is kept by nobody.
    func move(to ring: RingWriter?) {
        lock.withLock { _ in
            self.ring = ring
            ring?.setCounter(place.rawValue, name.word)
        }
    }

    func begin(_ name: RecordName) { set(name) }
    func end() { set(.none) }

    private func set(_ name: RecordName) {
        lock.withLock { _ in
            self.name = name
            ring?.setCounter(place.rawValue, name.word)
        }
    }
}
