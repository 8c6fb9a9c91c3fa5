// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Testing

@testable import RecorderCore

struct RecordGuardTests {
    private static func name(_ sequence: UInt64, worker: Int = 0) -> RecordName {
        RecordName(worker: worker, sequence: sequence)
    }

    @Test func recordGuard_namesTheRecordThatIsRead() {
        var marks: [RecordName] = []
        let own = RecordGuard { marks.append($0) }
        let outer = own.reading(Self.name(1)) {
            // A sample asks for its table, which is another record.
            own.reading(Self.name(2)) { marks.count }
        }
        #expect(outer == 2)
        #expect(marks == [Self.name(1), Self.name(2), Self.name(1), .none])
    }

    @Test func recordGuard_leavesPoisonOut() {
        var marks: [RecordName] = []
        var forgotten: [Int] = []
        let own = RecordGuard(poison: [Self.name(7), Self.name(7, worker: 1)]) {
            marks.append($0)
        } onForgotten: {
            forgotten.append($0)
        }
        #expect(own.reading(Self.name(7)) { true } == nil && own.skippedRecords == 1 && marks.isEmpty)
        #expect(own.reading(Self.name(8)) { true } == true)
        own.forget(worker: 0)
        #expect(forgotten == [0])
        #expect(own.reading(Self.name(7)) { true } == true, "it is a record of another ring")
        #expect(own.reading(Self.name(7, worker: 1)) { true } == nil && own.skippedRecords == 2)
    }
}
