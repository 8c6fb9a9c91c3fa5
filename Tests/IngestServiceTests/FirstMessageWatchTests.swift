// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import IngestService

@Suite struct FirstMessageWatchTests {
    private final class Call {}

    @Test func whoSaysNothingIsFoundOnce() {
        let timeout = FirstMessageWatch<Call>.timeoutNanoseconds
        let calls = [Call(), Call(), Call()]
        var watch = FirstMessageWatch<Call>()
        for (number, call) in calls.enumerated() { watch.opened(call, nowNanoseconds: UInt64(number)) }
        watch.settled(calls[1])
        let expired = [timeout - 1, timeout, .max, .max].map { now in
            watch.expire(nowNanoseconds: now).map(ObjectIdentifier.init)
        }
        #expect(expired == [[], [ObjectIdentifier(calls[0])], [ObjectIdentifier(calls[2])], []])
        #expect(watch.count == 0)
    }
}
