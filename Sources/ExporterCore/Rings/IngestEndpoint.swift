// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Platform
import Rings
import WorkerLink
import WorkerRuntime

/// One ingest worker as this exporter has it: its ring, the command ring to it, the wakeup channel between the two.
final class IngestEndpoint {
    let index: Int
    let follower: RingFollower
    let ring: RingWriter
    let wakeup: WakeupChannel
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
    /// How far the worker was last told that its ring has been read.
    var readPosition: UInt64 = .max

    /// - Parameter descriptors: what is to be closed when the worker is let go of; the wakeup channel's and the follower's are
    ///   among them.
    init(follower: RingFollower, ring: RingWriter, wakeup: WakeupChannel, descriptors: [Int32]) {
        index = follower.worker
        self.follower = follower
        self.ring = ring
        self.wakeup = wakeup
        self.descriptors = descriptors
    }

    /// Receives wakeups from now on.
    func listen(on loop: any EventLoop, onWake: @escaping () -> Void) -> EventLoopFuture<Void> {
        let hearing = WakeupHandler.openChannel(wakeup.descriptor, on: loop, onWake: onWake)
        self.hearing = hearing
        return hearing.map { _ in }
    }

    /// Lets go of the worker's rings: nothing here may be used any more.
    func close() {
        hearing?.whenSuccess { $0.close(promise: nil) }
        for descriptor in descriptors { MemoryFile.close(descriptor) }
    }
}

/// The ingest workers that there are. Their indices are 0 to one less than their number, but a place may be empty for a
/// while; it is skipped everywhere.
final class IngestEndpoints {
    private var places: [IngestEndpoint?] = []
    /// In the order of their indices.
    private(set) var all: [IngestEndpoint] = []

    var count: Int { all.count }
    private(set) var followers: [RingFollower] = []

    subscript(index: Int) -> IngestEndpoint? { places.indices.contains(index) ? places[index] : nil }

    func follower(of worker: Int) -> RingFollower? { self[worker]?.follower }

    /// In the place of the one with its index, if there is one, which is closed.
    func put(_ endpoint: IngestEndpoint) {
        precondition((0..<WorkerLaunch.limitWorkers).contains(endpoint.index), "there is no such ingest worker")
        while places.count <= endpoint.index { places.append(nil) }
        places[endpoint.index]?.close()
        places[endpoint.index] = endpoint
        settle()
    }

    func remove(_ index: Int) {
        guard let endpoint = self[index] else { return }
        endpoint.close()
        places[index] = nil
        settle()
    }

    private func settle() {
        while let last = places.last, last == nil { places.removeLast() }
        all = places.compactMap { $0 }
        followers = all.map(\.follower)
    }
}
