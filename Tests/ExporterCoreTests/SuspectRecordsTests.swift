// SPDX-License-Identifier: Apache-2.0
import Exchange
import Testing

@testable import ExporterCore

@Suite struct SuspectRecordsTests {
    @Test func twoDeathsMakePoison() {
        var suspects = SuspectRecords()
        let (first, second) = (RecordName(worker: 0, sequence: 5), RecordName(worker: 63, sequence: 5))
        suspects.blame(first)
        suspects.blame(second)
        #expect(suspects.poison.isEmpty)
        suspects.blame(first)
        #expect(suspects.poison == [first])
        suspects.blame(.none)
        suspects.blame(.none)
        #expect(suspects.poison == [first])
    }

    @Test func theySurviveAsBytes() {
        var suspects = SuspectRecords()
        for sequence in 0..<UInt64(SuspectRecords.limit + 9) {
            suspects.blame(RecordName(worker: 1, sequence: sequence))
        }
        let payload = suspects.payload
        #expect(payload.count == 5 + SuspectRecords.limit * 16)
        #expect(SuspectRecords(payload: payload.span.bytes) == suspects)
        func isTaken(_ bytes: [UInt8]) -> Bool { SuspectRecords(payload: bytes.span.bytes) != nil }
        #expect(!isTaken(Array(payload.dropLast())))
        #expect(!isTaken(payload + payload))
    }
}
