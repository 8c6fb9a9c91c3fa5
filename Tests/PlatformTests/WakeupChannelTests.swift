// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Testing

@Suite struct WakeupChannelTests {
    private func isRung(_ wakeup: WakeupChannel) -> Bool {
        var entry = pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    @Test func wakeupChannel_wakesTheOtherEndOnly() throws {
        let (here, there) = try WakeupChannel.makePair()
        defer { for wakeup in [here, there] { close(wakeup.descriptor) } }
        #expect(!isRung(here) && !isRung(there))
        here.wake()
        #expect(!isRung(here) && isRung(there))
        there.drain()
        #expect(!isRung(there))
    }

    @Test func wakeupChannel_neverBlocks() throws {
        let (here, there) = try WakeupChannel.makePair()
        defer { for wakeup in [here, there] { close(wakeup.descriptor) } }
        // More than any socket buffer holds.
        for _ in 0..<400_000 { here.wake() }
        #expect(isRung(there))
        there.drain()
        #expect(!isRung(there))
    }

    @Test func wakeupChannel_ignoresAClosedOtherEnd() throws {
        let (here, there) = try WakeupChannel.makePair()
        close(there.descriptor)
        here.wake()
        here.drain()
        close(here.descriptor)
    }
}
