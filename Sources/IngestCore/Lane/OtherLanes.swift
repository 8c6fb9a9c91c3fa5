// SPDX-License-Identifier: Apache-2.0
import Lanes
import Platform
import WorkerLink

/// The lanes of the other ingest workers, read-only. They come and go.
final class OtherLanes {
    private struct Lane {
        /// Ours to close.
        let descriptor: Int32
        var reader: LaneReader?
    }

    private var lanes: [Int: Lane] = [:]

    /// The descriptors are this object's from now on.
    init(_ lanes: [WorkerDescriptors.OtherLane]) {
        for lane in lanes { arrived(lane.index, descriptor: lane.descriptor) }
    }

    deinit {
        for lane in lanes.values { MemoryFile.close(lane.descriptor) }
    }

    /// In their order.
    var indices: [Int] { lanes.keys.sorted() }

    /// `nil` for a lane that is not there, not formatted yet, or unusable.
    func reader(_ index: Int) -> LaneReader? {
        try? open(index)
    }

    /// The same, but throws when the lane is there and only this process cannot open it now.
    func open(_ index: Int) throws(LaneError) -> LaneReader? {
        guard let lane = lanes[index] else { return nil }
        if let reader = lane.reader { return reader }
        do throws(LaneError) {
            let reader = try LaneReader(descriptor: lane.descriptor, kind: .up)
            lanes[index]?.reader = reader
            return reader
        } catch .notYet, .unusable {
            return nil
        }
    }

    /// There is another worker, or that one has a new lane. The descriptor is this object's from now on.
    func arrived(_ index: Int, descriptor: Int32) {
        gone(index)
        lanes[index] = Lane(descriptor: descriptor)
    }

    func gone(_ index: Int) {
        guard let lane = lanes.removeValue(forKey: index) else { return }
        MemoryFile.close(lane.descriptor)
    }
}
