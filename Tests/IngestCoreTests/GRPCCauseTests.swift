// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import GRPCServer
import RingMessages
import Testing

@Suite struct GRPCCauseTests {
    @Test func ingestCounter_hasRoomForEachCause() {
        #expect(IngestCounter.firstConnectionEnd + GRPCConnectionEnd.allCases.count <= IngestCounter.firstCallRefusal)
        #expect(IngestCounter.firstCallRefusal + GRPCCallRefusal.allCases.count <= IngestCounter.firstStreamWord)
    }

    @Test func ingestCounter_statusCodesHaveTheNamesOfGRPC() {
        #expect(
            IngestCounter.statusCodeNames
                == (0..<IngestCounter.statusCodes).map { GRPCStatusCode(rawValue: $0).description })
    }
}
