// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import FODCProtocol
import Platform
import RingMessages
import Testing

@testable import RecorderCore
@testable import Reports
@testable import Rings

/// The exporter's verdicts on schemas, out of its ring.
struct SchemaVerdictTests {
    private struct Exporter {
        let descriptor: Int32
        let ring: RingWriter

        init() throws {
            descriptor = try RingFile.create(name: "test-state", kind: .state)
            ring = try RingWriter.format(
                descriptor: descriptor, kind: .state, index: 0, generation: 1, maximumRingBytes: 1 << 20)
        }

        func judge(_ verdicts: [String: Banyandb_Fodc_V1_ConsistencyStatus], nodes: [String] = []) throws {
            var consistency = SchemaConsistency()
            for (group, status) in verdicts {
                consistency.verdicts[ExactText(group)] = status
                guard status == .inconsistent else { continue }
                consistency.counted[ExactText(group)] = Set(
                    nodes.map {
                        SchemaConsistency.Place(
                            object: SchemaObjectName(kind: "measure", name: "m"), node: ExactText($0))
                    })
            }
            try ring.append(.schemaVerdict, isCurrent: true, consistency.encoded.span.bytes)
        }
    }

    private static func states(_ test: RecorderUnderTest) throws -> Int64 {
        try Database(path: BlackBoxFile.path(in: test.folder), access: .readOnly)
            .integer("SELECT count(*) FROM states WHERE node_id = 0 AND kind = 'schema'") ?? 0
    }

    @Test func recorder_opensAnIncidentForSchemasThatDiffer() throws {
        let test = RecorderUnderTest()
        let exporter = try Exporter()
        defer { MemoryFile.close(exporter.descriptor) }
        try exporter.judge(["g": .consistent, "h": .unknown])
        func follow() throws {
            test.recorder.verdicts = FollowedVerdicts(descriptor: try MemoryFile.reopenReadOnly(exporter.descriptor))
        }
        try follow()
        test.turn()
        #expect(try test.incidents().isEmpty)
        for _ in 0..<3 {
            try exporter.judge(["g": .inconsistent, "h": .consistent], nodes: ["n1", "n2", "n3", "n4"])
            test.pass(seconds: 300)
            test.turn()
        }
        var incident = try #require(try test.incidents().first)
        #expect(try test.incidents().count == 1)
        #expect(incident.kind == .schemaInconsistent && incident.subject == "g" && incident.closedAtNanoseconds == nil)
        #expect(
            incident.cause == "group g: objects that differ from the schema registry: 1, at n1, n2, n3 and 1 more nodes"
        )
        #expect(try Self.states(test) == 2)
        // Another process knows both.
        try test.restart([])
        try follow()
        test.turn()
        #expect(try test.incidents().count == 1)
        #expect(try Self.states(test) == 2)
        try exporter.judge(["g": .unknown])
        test.turn()
        #expect(try test.incidents().first?.closedAtNanoseconds == nil, "nothing is known")
        try exporter.judge(["g": .consistent])
        test.pass(seconds: 1)
        test.turn()
        incident = try #require(try test.incidents().first)
        #expect(incident.closedAtNanoseconds == test.wall)
    }
}
