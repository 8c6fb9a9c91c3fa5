// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Metrics
import RingMessages
import Rings
import Testing

@testable import ExporterCore

/// An endpoint, a record type and a metric that nobody has heard of, brought by one type in one file. When the extension
/// points stop being enough for that, this does not compile or does not pass.
private final class MadeUpFeature: Feature, MetricSource {
    static let record = RecordType(rawValue: 60_000)

    private var heard: [String] = []
    private let directory: AgentDirectory

    init(_ context: FeatureContext) {
        directory = context.core.directory
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                path: "/made-up/{name}", summary: "Nothing of use",
                parameters: [.init(name: "name", meaning: "whatever you like")]
            ) { [unowned self] request, responder in
                responder.respond(
                    status: 200,
                    text:
                        "\(request.pathSegments[1]) \(heard.joined(separator: " ")), \(directory.listed().count) agents"
                )
            }
        ]
    }

    var records: [RecordHandler] {
        [
            RecordHandler(Self.record) { [unowned self] header, payload, worker in
                guard payload.byteCount == 2 else { return false }
                heard.append("\(header.number) of ingest-\(worker)")
                return true
            }
        ]
    }

    var metrics: [any MetricSource] { [self] }

    func addMetrics(to families: inout FamilyBuilder) {
        families.add("fodc_proxy_made_up_total", .counter, "Made-up records.", Double(heard.count))
    }
}

@Suite struct FeatureTests {
    private func harness() throws -> ExporterHarness {
        try ExporterHarness { try ExporterFeatures.make($0) + [MadeUpFeature($0)] }
    }

    @Test func exporterFeatures_addAnEndpointARecordHandlerAndAMetric() throws {
        let harness = try harness()
        let worker = try FakeIngest(0)
        try worker.enter(AgentID(high: 1, low: 1), pod: "pod-a")
        try harness.start([worker], generation: 7)
        // Of this exporter; of another; of the length that it does not have.
        for (generation, bytes) in [(7, [1, 2]), (6, [1, 2]), (7, [1])] as [(UInt64, [UInt8])] {
            try worker.ring.append(
                MadeUpFeature.record, generation: generation, number: generation, bytes.span.bytes)
        }
        worker.wake()
        let text = try harness.scrape([worker])
        #expect(text.contains("\nfodc_proxy_made_up_total 1\n"))
        #expect(text.contains("\n# HELP fodc_proxy_made_up_total Made-up records.\n"))
        #expect(text.contains("fodc_proxy_ring_records_lost_total{cause=\"damaged\"} 1\n"))
        #expect(harness.get("/made-up/thing").hasSuffix("thing 7 of ingest-0, 1 agents\n"))
    }

    /// Every list of endpoints has those of every feature.
    @Test func exporterFeatures_areListedWithTheirEndpoints() throws {
        let harness = try harness()
        let worker = try FakeIngest(0)
        try harness.start([worker])
        #expect(
            harness.get("/").contains("/made-up/{name}         Nothing of use\n    name          whatever you like\n"))
        #expect(harness.get("/nowhere").contains("/made-up/{name}"))
        _ = harness.get("/made-up/thing")
        #expect(
            try harness.scrape([worker]).contains(
                "fodc_proxy_http_requests_total{code=\"200\",path=\"/made-up/{name}\"} 1\n"))
    }

    @Test func exporterFeatures_haveEveryPathMetricAndRecordOnce() throws {
        let harness = try harness()
        let worker = try FakeIngest(0)
        let exporter = try harness.start([worker])
        let (paths, types) = try harness.run {
            (exporter.web.endpoints.map(\.path), exporter.features.flatMap(\.records).map(\.type))
        }
        #expect(paths.count > 10 && Set(paths).count == paths.count && paths.allSatisfy { $0.hasPrefix("/") })
        #expect(types.count > 6 && Set(types).count == types.count)
        let heads = try harness.scrape([worker]).split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
        #expect(heads.count > 90 && Set(heads).count == heads.count)
    }
}
