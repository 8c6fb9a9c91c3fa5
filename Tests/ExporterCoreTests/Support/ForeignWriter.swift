// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Synchronization
import TestSupport

@testable import Rings

/// Makes a ring's header say that another process, this one's parent, writes it.
final class ForeignWriter {
    private let memory: RingMemory

    init(_ descriptor: Int32) {
        memory = try! RingMemory(descriptor: descriptor, access: .readWrite)
        let parent = getppid()
        let ticks = ProcessStartTime.ticks(of: parent) ?? 0
        RingLayout.Header.writer.write([UInt64(parent), ticks, 1], to: memory.words)
    }

    func endNow() {
        RingLayout.Header.writer.write([0, 0, 0], to: memory.words)
    }
}

/// Something that happens on another thread.
final class Flag: Sendable {
    private let value = Mutex(false)
    private let ends: (reader: Int32, writer: Int32)

    init() throws { ends = try closeOnExecPipe() }

    deinit { for end in [ends.reader, ends.writer] { close(end) } }

    var isSet: Bool { value.withLock { $0 } }

    func set() {
        value.withLock { $0 = true }
        var byte: UInt8 = 1
        _ = write(ends.writer, &byte, 1)
    }

    /// Waits until it is set; false after half a minute, which only a defect takes.
    func waits() -> Bool {
        var request = pollfd(fd: ends.reader, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 30_000) == 1 && isSet
    }
}

/// Sets a ring's head forth and back, on a thread of its own.
final class HeadFlipper: Sendable {
    static let far: UInt64 = 1 << 40

    private let end: Flag
    private let thread: JobThread

    init(_ descriptor: Int32) {
        nonisolated(unsafe) let memory = try! RingMemory(descriptor: descriptor, access: .readWrite)
        thread = try! JobThread(name: "flipper")
        let end = try! Flag()
        self.end = end
        thread.run {
            while !end.isSet {
                memory.words.storeRelease(RingLayout.Header.head, 0)
                memory.words.storeRelease(RingLayout.Header.head, Self.far)
            }
        }
        // The first of the two is there before anybody looks.
        memory.words.storeRelease(RingLayout.Header.head, 0)
    }

    func stop() {
        end.set()
        thread.stop()
    }
}
