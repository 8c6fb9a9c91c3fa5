// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Platform

@Suite struct ProcessStartTimeTests {
    @Test func processStartTime_isThatOfALiveProcess() {
        #expect(ProcessStartTime.ownTicks() > 0)
        #expect(ProcessStartTime.ticks(of: getpid()) == ProcessStartTime.ownTicks())
        #expect(ProcessStartTime.ticks(of: -1) == nil)
    }

    private func line(name: String, state: String) -> [UInt8] {
        Array("17 (\(name)) \(state) 1 1 1 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 4711 9 9\n".utf8)
    }

    @Test func processStartTime_skipsAnyProcessName() {
        for name in ["sh", "a b", ") Z 1 (", "))", ""] {
            #expect(ProcessStartTime.ticks(inStat: line(name: name, state: "S")) == 4711)
        }
    }

    @Test func processStartTime_isMissingForADeadProcess() {
        #expect(ProcessStartTime.ticks(inStat: line(name: "sh", state: "Z")) == nil)
        #expect(ProcessStartTime.ticks(inStat: line(name: "sh", state: "X")) == nil)
        #expect(ProcessStartTime.ticks(inStat: Array("17 (sh) S 1 2".utf8)) == nil)
        #expect(ProcessStartTime.ticks(inStat: [UInt8]()) == nil)
    }
}
