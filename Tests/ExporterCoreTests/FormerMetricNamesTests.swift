// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import ExporterCore

@Suite struct FormerMetricNamesTests {
    @Test func formerMetricNames_areServedBesideThePresentOnes() {
        var families = FamilyBuilder()
        families.add("fodc_proxy_ring_records_lost_total", .counter, "Lost.", [([("cause", "damaged")], 3)])
        families.add("fodc_proxy_agents", .gauge, "Agents.", 1)
        #expect(
            families.families.map(\.name) == [
                "fodc_proxy_ring_records_lost_total", "fodc_proxy_lane_records_lost_total", "fodc_proxy_agents",
            ])
        let lines = families.families.map { String(decoding: $0.lines, as: UTF8.self) }
        #expect(lines[1] == "fodc_proxy_lane_records_lost_total{cause=\"damaged\"} 3\n", "the same value and labels")
    }

    @Test func proxyLimits_nameALossOnceThoughItsMetricHasTwoNames() {
        var families = FamilyBuilder()
        families.add("fodc_proxy_ring_records_lost_total", .counter, "Lost.", [([("cause", "damaged")], 3)])
        let limits = ProxyLimits.reached(families.families)
        #expect(limits.map(\.series) == ["fodc_proxy_ring_records_lost_total{cause=\"damaged\"}"])
    }
}
