// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Synchronization

@testable import Lanes

/// Makes a lane's header say that another process, this one's parent, writes it.
final class ForeignWriter {
    private let memory: LaneMemory

    init(_ descriptor: Int32) {
        memory = try! LaneMemory(descriptor: descriptor, access: .readWrite)
        let parent = getppid()
        let ticks = ProcessStartTime.ticks(of: parent) ?? 0
        LaneLayout.Header.writer.write([UInt64(parent), ticks, 1], to: memory.words)
    }

    func endNow() {
        LaneLayout.Header.writer.write([0, 0, 0], to: memory.words)
    }
}

/// Something that happens on another thread.
final class Flag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}
