// SPDX-License-Identifier: Apache-2.0
import Rings
import WorkerLink

/// The counters that the recorder publishes in the header of its own ring. Nothing behind the header is looked at.
final class RecorderGauge {
    private let descriptor: Int32
    private var reader: RingReader?

    /// - Parameter descriptor: of the recorder's ring (ro).
    init(descriptor: Int32) { self.descriptor = descriptor }

    /// 0 before a recorder has begun.
    func counter(_ word: Int) -> UInt64 {
        if reader == nil, RingReader.mayBeFormatted(descriptor) {
            reader = try? RingReader(descriptor: descriptor, kind: .state)
        }
        return reader?.counter(word) ?? 0
    }

    func counter(_ counter: RecorderCounter) -> UInt64 { self.counter(counter.rawValue) }
}
