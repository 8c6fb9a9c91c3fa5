// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Metrics

/// Damage of the memory that the workers share.
extension OwnMetrics {
    func addDamage(to builder: inout FamilyBuilder) {
        builder.add(
            "fodc_proxy_lane_repairs_total", .counter,
            "Words of a ring's header and slots of its table that had changed and that their writer has put right.",
            [([("kind", "command")], Double(repairedWords)), ([("kind", "data")], sum(.ringRepairs))])
        builder.add(
            "fodc_proxy_lane_stalls_total", .counter,
            "Times that the exporter could not read on in a data ring and waited for its writer to put it right.",
            Double(followers.reduce(UInt64(0)) { $0 &+ $1.stalls }))
        builder.add(
            "fodc_proxy_lane_rescans_total", .counter,
            "Times that the exporter looked for what is current in a data ring because records had been skipped.",
            Double(followers.reduce(UInt64(0)) { $0 &+ $1.rescans }))
        builder.add(
            "fodc_proxy_lane_damaged_places_total", .counter,
            "Places in data rings that held no record any more when they were to be overwritten.",
            sum(.ringDamagedPlaces))
        builder.add(
            "fodc_proxy_commands_damaged_total", .counter,
            "Commands to ingest workers that did not come through a command ring, or were none.", sum(.commandsDamaged))
    }
}
