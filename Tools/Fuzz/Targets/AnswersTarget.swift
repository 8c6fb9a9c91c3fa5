// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Metrics
import Reports
import RingMessages
import Rings
import SwiftProtobuf

@testable import IngestCore

// Messages of all streams but metrics, from what an agent sends to the JSON that a client gets. An input is the stream,
// then up to eight messages, each of another agent.

extension FuzzTarget {
    static let answers = FuzzTarget("answers", seeds: AnswersSeeds.all) { bytes in
        var input = FuzzInput(bytes)
        let stream = AnswersRun.streams[input.below(AnswersRun.streams.count)]
        var run = AnswersRun(stream: stream)
        for _ in 0..<AnswersRun.mostMessages where !input.isAtEnd { try run.take(input.piece()) }
        try run.end()
    }
}

private struct AnswersRun {
    static let streams = AgentStream.asked + [.registration]
    static let mostMessages = 8

    let stream: AgentStream
    /// The messages that ingest has passed on, one an agent.
    private var passed: [[UInt8]] = []

    init(stream: AgentStream) { self.stream = stream }

    mutating func take(_ bytes: [UInt8]) throws {
        if stream == .registration { return try takeRegistration(bytes) }
        guard let description = StreamDescription.all.first(where: { $0.stream == stream }) else {
            throw Finding("\(stream.name) is asked, and has no description")
        }
        let part = description.part(bytes.span.bytes)
        guard let parsed = try? description.parse(bytes.span.bytes) else { return }
        if Self.isWalked(bytes) { try Self.compare(part, parsed.content) }
        if let repaired = parsed.repaired {
            try hold(repaired.count <= 3 * bytes.count, "repaired, it is more than three times as long")
            let again = try description.parse(repaired.span.bytes)
            try hold(again.repaired == nil, "it is repaired a second time")
        }
        passed.append(parsed.repaired ?? bytes)
    }

    /// Whether the reader of dropped messages comes to the end of it: it refuses more than generated code does, and
    /// looks at so many fields only.
    private static func isWalked(_ bytes: [UInt8]) -> Bool {
        var reader = WireReader(position: 0, end: bytes.count)
        for _ in 0..<64 where !reader.isAtEnd {
            guard let tag = try? reader.tag(bytes.span.bytes), (try? reader.skip(tag, bytes.span.bytes)) != nil else {
                return false
            }
        }
        return reader.isAtEnd
    }

    /// Checks that a dropped message is classified as the kind that it would have been.
    private static func compare(_ part: AnswerPart, _ content: ParsedMessage.Content) throws(Finding) {
        let isSame =
            switch (part, content) {
            case (.whole, .answer), (.record, .record), (.record, .withoutKey), (.chunk, .chunk), (.last, .end): true
            case (.last, .part(isLast: true)), (.part, .part(isLast: false)): true
            case (.last, .withoutKey(isLast: true)), (.part, .withoutKey(isLast: false)): true
            default: false
            }
        try hold(isSame, "dropped it is \(part), and parsed \(content)")
    }

    private func takeRegistration(_ bytes: [UInt8]) throws {
        guard let request = try? Banyandb_Fodc_V1_RegisterAgentRequest(serializedBytes: bytes) else { return }
        let identity = AgentIdentity(podName: request.podName, containerNames: request.containerNames)
        let record = IdentityRecord(
            id: AgentID(high: 1, low: 2), identity: identity, role: request.nodeRole, labels: request.sortedLabels,
            peer: "127.0.0.1:1", registeredAtNanoseconds: 1)
        guard let read = IdentityRecord(payload: record.payload.span.bytes) else {
            throw Finding("the record cannot be read")
        }
        try hold(read == record, "the record is another: \(read), not \(record)")
    }

    func end() throws {
        guard !passed.isEmpty else { return }
        switch stream {
        case .topology: try topology()
        case .lifecycle: try lifecycle(registry: .noLiaison)
        case .crashDiagnostics: try diagnostics()
        case .pressureProfiles: try profiles()
        case .schemaRegistry: try registry()
        case .configuration: try configuration()
        default: break
        }
    }

    /// The messages that ingest lets through, as the exporter decodes them.
    private func decoded<M: Message>(_ type: M.Type = M.self) throws -> [(reporter: ReportingAgent, message: M)] {
        try passed.enumerated().map { index, bytes in
            (
                ReportingAgent(agentID: "agent-\(index)", podName: "pod-\(index)", role: "ROLE_DATA"),
                try M(serializedBytes: bytes)
            )
        }
    }

    private func topology() throws {
        let views = try decoded(Banyandb_Fodc_V1_StreamClusterTopologyRequest.self).enumerated().map {
            TopologyReport.View(message: $1.message, receivedAtNanoseconds: Int64($0))
        }
        let agents = [TopologyReport.RegisteredAgent(podName: "pod-0", isOnline: true, lastHeartbeatNanoseconds: 1)]
        let report = TopologyReport(views: views, agents: agents)
        try JSONGrammar.check(report.json)
        try JSONGrammar.check(report.callsJSON)
        let nodes = (0..<views.count).map {
            ClusterReport.Node(
                reporter: ReportingAgent(agentID: "agent-\($0)", podName: "pod-\($0)", role: "ROLE_DATA"), address: "a",
                containerNames: [], labels: [:], isOnline: true, registeredAtNanoseconds: 1,
                lastHeartbeatNanoseconds: nil, streams: [], ingestWorker: 0, lastSampleAtNanoseconds: nil, series: 0)
        }
        let cluster = ClusterReport(nodes: nodes, callsJSON: report.callsJSON, updatedAtNanoseconds: 1)
        try JSONGrammar.check(cluster.json)
    }

    private func lifecycle(registry: RegistryOutcome) throws {
        let answers = try decoded(Banyandb_Fodc_V1_StreamLifecycleRequest.self).enumerated().map {
            LifecycleReport.Answer(reporter: $1.reporter, message: $1.message, receivedAtNanoseconds: Int64($0))
        }
        // The registry has what the first agent has, so that there is something to compare.
        let contents = answers.first.map { Self.registry(of: $0.message) } ?? .noLiaison
        var consistency = SchemaConsistency()
        for registry in [registry, contents, contents] {
            var report = LifecycleReport(
                answers: answers,
                responseCounts: .init(registered: answers.count, requested: answers.count, responded: answers.count))
            report.judge(by: &consistency, registry: registry)
            try JSONGrammar.check(report.json)
            let encoded = consistency.encoded
            guard let again = SchemaConsistency(encoded: encoded.span.bytes) else {
                throw Finding("what is kept of the schema check cannot be read")
            }
            try hold(again.encoded == encoded, "what is kept of the schema check is another after reading")
        }
    }

    private static func registry(of message: Banyandb_Fodc_V1_StreamLifecycleRequest) -> RegistryOutcome {
        .read(
            RegistryContents(
                message.lifecycleData.groups.map { group in
                    .with {
                        $0.group.group = group.name
                        $0.group.objects = group.schemaConsistency.objects.map { object in
                            .with {
                                ($0.kind, $0.name) = (object.kind, object.name)
                                $0.fingerprint = object.nodeFingerprints.first?.cacheFingerprint ?? 0
                            }
                        }
                    }
                }))
    }

    private func diagnostics() throws {
        let records = try decoded(Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest.self).enumerated().map {
            DiagnosticsReport.Record(reporter: $1.reporter, message: $1.message, receivedAtNanoseconds: Int64($0))
        }
        try JSONGrammar.check(DiagnosticsReport(records: records).json)
    }

    private func profiles() throws {
        var list = MessageList()
        for bytes in passed { list.append(bytes.span.bytes) }
        var records: [Banyandb_Fodc_V1_PressureProfileRecord] = []
        var failure: (any Error)?
        let isWhole = MessageList.forEach(in: list.bytes.span.bytes) { bytes in
            do {
                let message = try Banyandb_Fodc_V1_StreamPressureProfilesRequest(serializedBytes: bytes)
                if case .record(let record) = message.payload { records.append(record) }
            } catch {
                failure = error
            }
        }
        try hold(isWhole && failure == nil, "the list cannot be read: \(failure.map { "\($0)" } ?? "it is not whole")")
        let reporter = ReportingAgent(agentID: "agent-0", podName: "pod-0", role: "ROLE_DATA")
        try JSONGrammar.check(PressureReport(lists: [.init(reporter: reporter, records: records)]).json)
    }

    private func registry() throws {
        let messages = try decoded(Banyandb_Fodc_V1_StreamSchemaRegistryRequest.self).map(\.message)
        let contents = RegistryContents(messages)
        var report = LifecycleReport(answers: [], responseCounts: .init(registered: 1, requested: 0, responded: 0))
        var consistency = SchemaConsistency()
        let outcome = contents.failure.map { RegistryOutcome.failed(reasons: [$0]) } ?? .read(contents)
        report.judge(by: &consistency, registry: outcome)
        try JSONGrammar.check(report.json)
    }

    private func configuration() throws {
        let nodes = try decoded(Fodc_Proxy_V1_NodeConfiguration.self).map {
            ConfigurationReport.Node(reporter: $0.reporter, configuration: $0.message)
        }
        try JSONGrammar.check(ConfigurationReport(nodes: nodes, notSupported: ["pod-z"]).json)
    }
}
