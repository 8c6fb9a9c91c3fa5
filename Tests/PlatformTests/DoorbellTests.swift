// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Testing

@Suite struct DoorbellTests {
    private func isRung(_ bell: Doorbell) -> Bool {
        var entry = pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    @Test func ringingWakesTheOtherEndOnly() throws {
        let (here, there) = try Doorbell.makePair()
        defer { for bell in [here, there] { close(bell.descriptor) } }
        #expect(!isRung(here) && !isRung(there))
        here.ring()
        #expect(!isRung(here) && isRung(there))
        there.drain()
        #expect(!isRung(there))
    }

    @Test func ringingNeverBlocks() throws {
        let (here, there) = try Doorbell.makePair()
        defer { for bell in [here, there] { close(bell.descriptor) } }
        // More than any socket buffer holds.
        for _ in 0..<400_000 { here.ring() }
        #expect(isRung(there))
        there.drain()
        #expect(!isRung(there))
    }

    @Test func aBellWhoseOtherEndIsGoneIsHarmless() throws {
        let (here, there) = try Doorbell.makePair()
        close(there.descriptor)
        here.ring()
        here.drain()
        close(here.descriptor)
    }
}
