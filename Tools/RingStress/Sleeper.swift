// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Rings

/// Waits for a wakeup as the workers do, and finds out when one should have come and did not.
struct Sleeper: CustomStringConvertible {
    let ring: RingWriter
    let wakeup: WakeupChannel
    private(set) var sleeps: UInt64 = 0
    /// Work was there and the wakeup channel never rang: the fault that this looks for.
    private(set) var missed: UInt64 = 0
    /// The tick was first, and the wakeup channel rang after it: the other process had not got to it yet.
    private(set) var late: UInt64 = 0

    private static let tickMilliseconds: Int32 = 250
    /// A process may be kept from running between publishing and ringing, but not that long.
    private static let timeoutMilliseconds: Int32 = 10_000

    var description: String { "slept \(sleeps), late \(late), missed \(missed)" }

    init(ring: RingWriter, wakeup: WakeupChannel) {
        self.ring = ring
        self.wakeup = wakeup
    }

    mutating func sleep(until isReady: () -> Bool) {
        ring.setSleeping(true)
        defer {
            ring.setSleeping(false)
            wakeup.drain()
        }
        if isReady() { return }
        sleeps += 1
        while !isRung(within: Self.tickMilliseconds) {
            guard isReady() else { continue }
            if isRung(within: Self.timeoutMilliseconds) { late += 1 } else { missed += 1 }
            return
        }
    }

    private func isRung(within milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }
}
