// SPDX-License-Identifier: Apache-2.0
import Exchange

extension OwnMetrics {
    /// Agents that more than one ingest worker has to do with.
    func addAcrossWorkers(to builder: inout FamilyBuilder) {
        builder.add(
            "fodc_proxy_claims_total", .counter,
            "Registrations that met one of their identity at another worker, by what was found out about that.",
            byLabel(
                "verdict",
                [
                    ("alive", .claimsAlive), ("gone", .claimsGone), ("unanswered", .claimsUnanswered),
                    ("withdrawn", .claimsWithdrawn),
                ]))
        builder.add(
            "fodc_proxy_foreign_streams", .gauge, "Open streams of agents that are registered at another worker.",
            sum(.foreignStreams))
        builder.add(
            "fodc_proxy_foreign_streams_opened_total", .counter,
            "Streams that were opened at another worker than their agent is registered at.", sum(.foreignStreamsOpened))
        builder.add(
            "fodc_proxy_foreign_streams_ended_total", .counter,
            "Such streams that ended because their agent had left the worker that it was registered at.",
            sum(.foreignStreamsEnded))
        builder.add(
            "fodc_proxy_orphaned_streams_ended_total", .counter,
            "Streams that ended because their agent's registration had been gone for some seconds.",
            sum(.orphanedStreamsEnded))
        builder.add(
            "fodc_proxy_agent_connections_closed_total", .counter,
            "Connections of agents that a worker closed: registered elsewhere since, or held off for having ended workers.",
            byLabel("cause", [("elsewhere", .yieldedElsewhere), ("held_off", .closedHeldOff)]))
    }
}
