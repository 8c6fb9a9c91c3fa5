// SPDX-License-Identifier: Apache-2.0
import Exchange
import Metrics

/// Metrics of registrations, losses and moves of agents, as the ingest workers count them.
struct RegistrationMetrics: MetricSource {
    let ingest: IngestTotals

    func addMetrics(to families: inout FamilyBuilder) {
        addComingAndGoing(to: &families)
        addAcrossWorkers(to: &families)
    }

    private func addComingAndGoing(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_agent_registrations_total", .counter, "Registrations, by what became of them.",
            ingest.byLabel(
                "outcome",
                [
                    ("new", .registeredNew), ("returned", .registeredReturned), ("twin", .registeredTwin),
                    ("refused_invalid", .refusedInvalid), ("refused_limit", .refusedLimit),
                    ("refused_loop", .refusedLoop), ("held_off", .refusedHeldOff),
                    ("refused_no_room", .refusedNoRoom), ("refused_silent", .refusedSilent),
                    ("refused_connection_limit", .refusedConnectionLimit),
                    ("refused_source_limit", .refusedSourceLimit),
                ]))
        families.add(
            "fodc_proxy_registration_labels_left_out_total", .counter,
            "Labels of registrations that are not put on the agent's series: too many, too long, or of a bad name.",
            ingest.sum(.labelsLeftOut))
        // An agent that is lost leaves the registry later: two metrics, because in one it would count twice.
        families.add(
            "fodc_proxy_agent_losses_total", .counter, "Agents that became unconnected, by cause.",
            ingest.byLabel(
                "cause",
                [
                    ("stream_ended", .lostStreamEnded), ("connection_lost", .lostConnection),
                    ("heartbeat_timeout", .lostHeartbeatTimeout), ("keepalive", .lostKeepalive),
                    ("worker_lost", .lostWorker),
                ]))
        families.add(
            "fodc_proxy_agent_removals_total", .counter, "Agents that left the registry of a worker, by cause.",
            ingest.byLabel(
                "cause", [("cleanup", .leftCleanup), ("evicted", .leftEvicted), ("moved", .leftElsewhere)]))
    }

    private func addAcrossWorkers(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_agents_moved_total", .counter,
            "Agents that a worker with more than its share sent to the others.", ingest.sum(.agentsMoved))
        families.add(
            "fodc_proxy_agents_adopted_total", .counter,
            "Agents taken over from the lane of a worker that was removed.", ingest.sum(.agentsAdopted))
        families.add(
            "fodc_proxy_claims_total", .counter,
            "Registrations that met one of their identity at another worker, by what was found out about that.",
            ingest.byLabel(
                "verdict",
                [
                    ("alive", .claimsAlive), ("gone", .claimsGone), ("unanswered", .claimsUnanswered),
                    ("withdrawn", .claimsWithdrawn),
                ]))
        families.add(
            "fodc_proxy_foreign_streams", .gauge, "Open streams of agents that are registered at another worker.",
            ingest.sum(.foreignStreams))
        families.add(
            "fodc_proxy_foreign_streams_opened_total", .counter,
            "Streams that were opened at another worker than their agent is registered at.",
            ingest.sum(.foreignStreamsOpened))
        families.add(
            "fodc_proxy_foreign_streams_ended_total", .counter,
            "Such streams that ended because their agent had left the worker that it was registered at.",
            ingest.sum(.foreignStreamsEnded))
        families.add(
            "fodc_proxy_orphaned_streams_ended_total", .counter,
            "Streams that ended because their agent's registration had been gone for some seconds.",
            ingest.sum(.orphanedStreamsEnded))
    }
}
