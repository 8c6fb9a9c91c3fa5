// SPDX-License-Identifier: Apache-2.0
import Lanes
import NIOCore
import Platform
import WorkerLink
import WorkerRuntime

/// One ingest worker as this exporter has it: its lane, the command lane to it, the wakeup channel between the two.
final class IngestPeer {
    let index: Int
    let follower: LaneFollower
    let lane: LaneWriter
    let bell: Doorbell
    private let descriptors: [Int32]
    private var hearing: EventLoopFuture<any Channel>?

    /// The worker's generation when it was last seen to take commands; 0: it takes none.
    var askedGeneration: UInt64 = 0
    /// The worker's generation when its process was last seen to live; 0: no process has been seen.
    var livingGeneration: UInt64 = 0
    /// Monotonic, since when it has had no process that serves; `nil` while it has one.
    var deadSinceNanoseconds: UInt64?
    /// Monotonic, when it was seen to take no more commands, to be gone, or to have begun anew.
    var lostAtNanoseconds: UInt64?
    /// Commands that the worker could not read, as it last said; `nil` before the first look.
    var damagedCommands: UInt64?
    /// How far the worker was last told that its lane has been read.
    var readPosition: UInt64 = .max

    /// - Parameter descriptors: what is to be closed when the worker is let go of; the bell's and the follower's are
    ///   among them.
    init(follower: LaneFollower, lane: LaneWriter, bell: Doorbell, descriptors: [Int32]) {
        index = follower.worker
        self.follower = follower
        self.lane = lane
        self.bell = bell
        self.descriptors = descriptors
    }

    /// Receives wakeups from now on.
    func listen(on loop: any EventLoop, heard: @escaping () -> Void) -> EventLoopFuture<Void> {
        let hearing = DoorbellChannel.openChannel(bell.descriptor, on: loop, heard: heard)
        self.hearing = hearing
        return hearing.map { _ in }
    }

    /// Lets go of the worker's lanes: nothing here may be used any more.
    func close() {
        hearing?.whenSuccess { $0.close(promise: nil) }
        for descriptor in descriptors { MemoryFile.close(descriptor) }
    }
}

/// The ingest workers that there are. Their indices are 0 to one less than their number, but a place may be empty for a
/// while; it is skipped everywhere.
final class IngestPeers {
    private var places: [IngestPeer?] = []
    /// In the order of their indices.
    private(set) var all: [IngestPeer] = []

    var count: Int { all.count }
    private(set) var followers: [LaneFollower] = []

    subscript(index: Int) -> IngestPeer? { places.indices.contains(index) ? places[index] : nil }

    func follower(of worker: Int) -> LaneFollower? { self[worker]?.follower }

    /// In the place of the one with its index, if there is one, which is closed.
    func put(_ peer: IngestPeer) {
        precondition((0..<WorkerLaunch.limitWorkers).contains(peer.index), "there is no such ingest worker")
        while places.count <= peer.index { places.append(nil) }
        places[peer.index]?.close()
        places[peer.index] = peer
        settle()
    }

    func remove(_ index: Int) {
        guard let peer = self[index] else { return }
        peer.close()
        places[index] = nil
        settle()
    }

    private func settle() {
        while let last = places.last, last == nil { places.removeLast() }
        all = places.compactMap { $0 }
        followers = all.map(\.follower)
    }
}
