// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import Metrics
import RingMessages

/// Agents' connections, as the ingest workers count them.
struct ConnectionMetrics: MetricSource {
    let ingest: IngestTotals

    func addMetrics(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_grpc_bytes_total", .counter, "Bytes on agents' connections.",
            ingest.byLabel("direction", [("in", .grpcBytesIn), ("out", .grpcBytesOut)]))
        families.add(
            "fodc_proxy_grpc_messages_total", .counter, "gRPC messages on agents' streams.",
            ingest.byLabel("direction", [("in", .grpcMessagesIn), ("out", .grpcMessagesOut)]))
        families.add(
            "fodc_proxy_grpc_connections", .gauge, "Open connections of agents, by worker.",
            ingest.byWorker(.connectionsOpen))
        families.add(
            "fodc_proxy_grpc_connections_accepted_total", .counter, "Connections accepted from agents.",
            ingest.sum(.connectionsAccepted))
        families.add(
            "fodc_proxy_grpc_accepts_failed_total", .counter,
            "Attempts to accept an agent's connection that failed for lack of descriptors or memory.",
            ingest.sum(.acceptsFailed))
        families.add(
            "fodc_proxy_grpc_connections_closed_total", .counter, "Connections of agents that ended, by cause.",
            GRPCConnectionEnd.allCases.map {
                ([("cause", $0.name)], ingest.sum(word: IngestCounter.firstConnectionEnd + $0.rawValue))
            })
        families.add(
            "fodc_proxy_grpc_streams_ended_total", .counter, "Streams that ended, by gRPC status code.",
            IngestCounter.statusCodeNames.enumerated().map { code, name in
                ([("code", name)], ingest.sum(word: IngestCounter.firstStreamEnd + code))
            })
        families.add(
            "fodc_proxy_grpc_calls_refused_total", .counter,
            "Calls refused or ended because of the client's behaviour, by cause.",
            GRPCCallRefusal.allCases.map {
                ([("cause", $0.name)], ingest.sum(word: IngestCounter.firstCallRefusal + $0.rawValue))
            })
        families.add(
            "fodc_proxy_grpc_assembly_bytes", .gauge, "Bytes of incomplete messages, by worker.",
            ingest.byWorker(.assemblyBytes))
        families.add(
            "fodc_proxy_streams_refused_total", .counter, "Streams refused because of their agent_id, by cause.",
            ingest.byLabel("cause", [("missing", .refusedNoAgentID), ("unknown", .refusedUnknownAgentID)]))
        families.add(
            "fodc_proxy_agent_connections_closed_total", .counter,
            "Connections that a worker closed because their agent registered elsewhere or is quarantined, by cause.",
            ingest.byLabel("cause", [("elsewhere", .yieldedElsewhere), ("held_off", .closedQuarantined)]))
    }
}
