// SPDX-License-Identifier: Apache-2.0
import Platform
import Testing

@testable import IngestCore

@Suite struct FirstMessageWatchTests {
    private final class Call {}

    @Test func firstMessageWatch_findsASilentStreamOnce() {
        let timeout = FirstMessageWatch<Call>.timeoutNanoseconds
        let calls = [Call(), Call(), Call()]
        var watch = FirstMessageWatch<Call>()
        for (number, call) in calls.enumerated() {
            #expect(watch.opened(call, nowNanoseconds: UInt64(number))?.isEmpty == true)
        }
        watch.settled(calls[1])
        let expired = [timeout - 1, timeout, .max, .max].map { now in
            watch.expire(nowNanoseconds: now).map(ObjectIdentifier.init)
        }
        #expect(expired == [[], [ObjectIdentifier(calls[0])], [ObjectIdentifier(calls[2])], []])
        #expect(watch.count == 0)
    }

    @Test func firstMessageWatch_boundsTheStreamsOfAConnection() {
        var watch = FirstMessageWatch<Call>()
        let most = FirstMessageWatch<Call>.mostPerConnection
        let calls = (0..<most).map { _ in Call() }
        for call in calls { #expect(watch.opened(call, on: 1, nowNanoseconds: 1) != nil) }
        #expect(watch.opened(Call(), on: 1, nowNanoseconds: 2) == nil)
        #expect(watch.opened(Call(), on: 2, nowNanoseconds: 2) != nil)
        watch.settled(calls[0])
        #expect(watch.opened(Call(), on: 1, nowNanoseconds: 3) != nil)
    }

    @Test func firstMessageWatch_evictsTheBusiestConnectionOfTheLargestSource() {
        var watch = FirstMessageWatch<Call>()
        let (crowded, other) = (NetworkSource(host: "10.0.0.1"), NetworkSource(host: "10.0.0.2"))
        let perConnection = FirstMessageWatch<Call>.most / 64
        var calls: [Call] = []
        for number in 0..<FirstMessageWatch<Call>.most {
            let call = Call()
            calls.append(call)
            // Connection 0 has fewer than the others, and the other source has one with as many as they have.
            let isOther = number / perConnection == 63
            _ = watch.opened(
                call, on: UInt64(number / perConnection), from: isOther ? other : crowded,
                nowNanoseconds: UInt64(number))
        }
        watch.settled(calls[0])
        _ = watch.opened(Call(), on: 63, from: other, nowNanoseconds: 9000)
        let crowd = watch.opened(Call(), on: 70, from: other, nowNanoseconds: 9001) ?? []
        #expect(
            Set(crowd.map(ObjectIdentifier.init))
                == Set(calls[perConnection..<(2 * perConnection)].map(ObjectIdentifier.init)))
        #expect(watch.count == FirstMessageWatch<Call>.most - perConnection + 1)
    }
}
