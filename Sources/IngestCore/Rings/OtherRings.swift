// SPDX-License-Identifier: Apache-2.0
import Platform
import Rings
import WorkerLink

/// The rings of the other ingest workers, read-only. They come and go.
final class OtherRings {
    private struct Ring {
        /// Ours to close.
        let descriptor: Int32
        var reader: RingReader?
    }

    private var rings: [Int: Ring] = [:]

    /// The descriptors are this object's from now on.
    init(_ rings: [WorkerDescriptors.OtherRing]) {
        for ring in rings { arrived(ring.index, descriptor: ring.descriptor) }
    }

    deinit {
        for ring in rings.values { MemoryFile.close(ring.descriptor) }
    }

    /// In their order.
    var indices: [Int] { rings.keys.sorted() }

    /// `nil` for a ring that is not there, not formatted yet, or unusable.
    func reader(_ index: Int) -> RingReader? {
        try? open(index)
    }

    /// The same, but throws when the ring is there and only this process cannot open it now.
    func open(_ index: Int) throws(RingError) -> RingReader? {
        guard let ring = rings[index] else { return nil }
        if let reader = ring.reader { return reader }
        do throws(RingError) {
            let reader = try RingReader(descriptor: ring.descriptor, kind: .data)
            rings[index]?.reader = reader
            return reader
        } catch .notYet, .unusable {
            return nil
        }
    }

    /// There is another worker, or that one has a new ring. The descriptor is this object's from now on.
    func arrived(_ index: Int, descriptor: Int32) {
        gone(index)
        rings[index] = Ring(descriptor: descriptor)
    }

    func gone(_ index: Int) {
        guard let ring = rings.removeValue(forKey: index) else { return }
        MemoryFile.close(ring.descriptor)
    }
}
