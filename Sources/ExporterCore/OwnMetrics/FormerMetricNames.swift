// SPDX-License-Identifier: Apache-2.0

/// Names that version 0.1.0 gave to metrics of the proxy. Each of them is served beside the present name for one version,
/// so that dashboards and alerts can move at their own pace.
enum FormerMetricNames {
    private static let byName = [
        "fodc_proxy_agents_quarantined_total": "fodc_proxy_agents_held_off_total",
        "fodc_proxy_registration_conflicts_total": "fodc_proxy_claims_total",
        "fodc_proxy_remote_streams": "fodc_proxy_foreign_streams",
        "fodc_proxy_remote_streams_ended_total": "fodc_proxy_foreign_streams_ended_total",
        "fodc_proxy_remote_streams_opened_total": "fodc_proxy_foreign_streams_opened_total",
        "fodc_proxy_ring_lost_bytes_total": "fodc_proxy_lane_lost_bytes_total",
        "fodc_proxy_ring_records_lost_total": "fodc_proxy_lane_records_lost_total",
        "fodc_proxy_ring_unread_bytes": "fodc_proxy_lane_unread_bytes",
        "fodc_proxy_rings_replaced_total": "fodc_proxy_lanes_replaced_total",
        "fodc_proxy_rings_reset_total": "fodc_proxy_lanes_quarantined_total",
    ]

    /// The former name of a metric; `nil`: it has always had this one.
    static func name(of present: String) -> String? { byName[present] }

    static func isFormer(_ name: String) -> Bool { byName.values.contains(name) }
}
