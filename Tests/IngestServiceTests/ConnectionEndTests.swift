// SPDX-License-Identifier: Apache-2.0
import Exchange
import GRPCServer
import Testing

@Suite struct ConnectionEndTests {
    /// The exporter reads by `Exchange`'s order what the ingest worker writes by `GRPCServer`'s.
    @Test func bothListsAreOne() {
        #expect(ConnectionEnd.allCases.map(\.rawValue) == GRPCConnectionEnd.allCases.map(\.rawValue))
        #expect(ConnectionEnd.allCases.map(\.name) == GRPCConnectionEnd.allCases.map(\.name))
    }

    @Test func ingestCounter_statusCodesHaveTheNamesOfGRPC() {
        #expect(
            IngestCounter.statusCodeNames
                == (0..<IngestCounter.statusCodes).map { GRPCStatusCode(rawValue: $0).description })
    }

    @Test func callRefusals_areOneListInBothModules() {
        #expect(CallRefusal.allCases.map(\.rawValue) == GRPCStatistics.Refusal.allCases.map(\.rawValue))
        #expect(CallRefusal.allCases.map(\.name) == GRPCStatistics.Refusal.allCases.map(\.name))
        #expect(IngestCounter.firstCallRefusal + CallRefusal.allCases.count <= IngestCounter.firstStreamWord)
    }
}
