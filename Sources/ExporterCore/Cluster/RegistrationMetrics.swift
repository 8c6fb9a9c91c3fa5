// SPDX-License-Identifier: Apache-2.0
import Metrics
import RingMessages

/// Metrics of registrations, losses and moves of agents, as the ingest workers count them.
struct RegistrationMetrics: MetricSource {
    let ingest: IngestTotals

    func addMetrics(to families: inout FamilyBuilder) {
        addComingAndGoing(to: &families)
        addAcrossWorkers(to: &families)
    }

    private func addComingAndGoing(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_agent_registrations_total", .counter, "Registrations of agents, by outcome.",
            ingest.byLabel(
                "outcome",
                [
                    ("new", .registeredNew), ("returned", .registeredReturned), ("twin", .registeredDuplicate),
                    ("refused_invalid", .refusedInvalid), ("refused_limit", .refusedLimit),
                    ("refused_loop", .refusedLoop), ("held_off", .refusedQuarantined),
                    ("refused_no_room", .refusedNoRoom), ("refused_silent", .refusedSilent),
                    ("refused_connection_limit", .refusedConnectionLimit),
                    ("refused_source_limit", .refusedSourceLimit),
                ]))
        families.add(
            "fodc_proxy_registration_labels_left_out_total", .counter,
            "Registration labels left out of the agent's series: too many, too long, or with an invalid name.",
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
            "Agents that a worker above its share sent to other workers.", ingest.sum(.agentsMoved))
        families.add(
            "fodc_proxy_agents_adopted_total", .counter,
            "Agents adopted from the ring of a removed worker.", ingest.sum(.agentsAdopted))
        families.add(
            "fodc_proxy_registration_conflicts_total", .counter,
            "Registrations whose identity was online at another worker, by resolution.",
            ingest.byLabel(
                "verdict",
                [
                    ("alive", .conflictsAlive), ("gone", .conflictsGone), ("unanswered", .conflictsUnanswered),
                    ("withdrawn", .conflictsWithdrawn),
                ]))
        families.add(
            "fodc_proxy_remote_streams", .gauge, "Open streams of agents that are registered at another worker.",
            ingest.sum(.remoteStreams))
        families.add(
            "fodc_proxy_remote_streams_opened_total", .counter,
            "Streams opened at a worker other than the one that their agent is registered at.",
            ingest.sum(.remoteStreamsOpened))
        families.add(
            "fodc_proxy_remote_streams_ended_total", .counter,
            "Streams of agents registered at another worker that ended because the agent left that worker.",
            ingest.sum(.remoteStreamsEnded))
        families.add(
            "fodc_proxy_orphaned_streams_ended_total", .counter,
            "Streams ended because their agent had had no registration for some seconds.",
            ingest.sum(.orphanedStreamsEnded))
    }
}
