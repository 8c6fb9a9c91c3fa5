// SPDX-License-Identifier: Apache-2.0

import FODCProtocol
import SwiftProtobuf
import Testing

@testable import AgentSimulation

@Suite struct ScrapedSeriesStoreTests {
    private let identity = SimulatedIdentity(index: 0, mix: .standard, podPrefix: "pod")

    private func metric(_ name: String, _ value: Double, _ labels: [ScrapedMetric.Label] = []) -> ScrapedMetric {
        ScrapedMetric(name: name, labels: labels, value: value, type: .gauge, help: "Help.")
    }

    private func decode(_ store: ScrapedSeriesStore, _ request: MetricsRequest) throws -> [Banyandb_Fodc_V1_Metric] {
        var generator = SimulationGenerator(seed: 1)
        let encoded = store.encoded(for: identity, request, using: &generator)
        let metrics = try Banyandb_Fodc_V1_StreamMetricsRequest(serializedBytes: encoded.bytes).metrics
        #expect(metrics.count == encoded.sampleCount)
        return metrics
    }

    @Test func scrapedSeriesStore_keepsTheLastValueOfVanishedSeries() throws {
        let store = ScrapedSeriesStore(pointCount: 2)
        store.add([metric("a", 1), metric("b", .nan)], seconds: 100)
        store.add([metric("a", 0)], seconds: 110)
        let metrics = try decode(store, .latest).sorted { $0.name < $1.name }
        #expect(metrics.map(\.name) == ["a", "b"])
        #expect(metrics.map(\.timestamp.seconds) == [110, 100])
        #expect(metrics[0].value == 0)
        #expect(metrics[1].value.bitPattern == Double.nan.bitPattern)
        #expect(
            metrics[0].labels == [
                "pod_name": identity.podName, "node_role": "ROLE_LIAISON", "container_name": "liaison",
            ])
    }

    @Test func scrapedSeriesStore_ignoresTheOrderOfLabels() throws {
        let store = ScrapedSeriesStore(pointCount: 5)
        store.add([metric("a", 1, [.init("x", "1"), .init("y", "2")])], seconds: 100)
        store.add([metric("a", 2, [.init("y", "2"), .init("x", "1")])], seconds: 110)
        #expect(try decode(store, .latest).map(\.value) == [2])
        #expect(try decode(store, .window(from: 100, through: 109)).map(\.value) == [1])
        #expect(try decode(store, .window(from: 111, through: 109)).isEmpty)
    }

    @Test func scrapedSeriesStore_keepsTheLastPoints() throws {
        let store = ScrapedSeriesStore(pointCount: 3)
        for second in 0..<10 { store.add([metric("a", Double(second))], seconds: Int64(second)) }
        #expect(try decode(store, .window(from: .min, through: .max)).map(\.value) == [7, 8, 9])
    }

    @Test func scrapedSeriesStore_replacesTheEndpointsLabelsWithTheAgents() throws {
        let store = ScrapedSeriesStore(pointCount: 1)
        store.add([metric("a", 1, [.init("pod_name", "other"), .init("x", "y")])], seconds: 1)
        #expect(try decode(store, .latest).first?.labels["pod_name"] == identity.podName)
        #expect(try decode(store, .latest).first?.labels["x"] == "y")
    }
}
