// SPDX-License-Identifier: Apache-2.0
import Exchange
import GRPCCauses
import HTTPServer
import Lanes
import Metrics

/// The proxy's own metrics, `fodc_proxy_*`: what ingest workers count in their lanes' headers, what the supervisor keeps
/// in `control`, and what this exporter has seen.
struct OwnMetrics {
    var revision: String
    var maximumAgents: Int
    var directory: AgentDirectory
    var peers: IngestPeers
    var control: ControlReader
    var workers: [(name: String, status: ControlWorker)]
    var collections: Collections
    var windows: Windows
    var answers: AnswerCollections
    var reports: ReportSources
    var lifecycle: LifecycleCollector
    var downloads: DownloadStatistics
    var skippedRecords: UInt64
    var repairedWords: UInt64
    var http: HTTPStatistics
    var requests: RequestStatistics
    var samplesServed: UInt64
    var duplicateSeries: Int
    var oddBounds: Int
    /// Of the answer that these metrics are in.
    var selected: SampleSelection.Selected
    var partial: PartialAnswers

    var followers: [LaneFollower] { peers.followers }

    func families() -> [ExtraFamily] {
        var builder = FamilyBuilder()
        addProcess(to: &builder)
        addControl(to: &builder)
        addAgents(to: &builder)
        addCollections(to: &builder)
        addPartialAnswers(to: &builder)
        addSamples(to: &builder)
        addStreams(to: &builder)
        addDownloads(to: &builder)
        addTransport(to: &builder)
        addLanes(to: &builder)
        addHTTP(to: &builder)
        return builder.families
    }

    // MARK: Counters of the ingest workers

    func sum(_ counter: IngestCounter) -> Double { sum(word: counter.rawValue) }

    func sum(word: Int) -> Double {
        Double(followers.reduce(UInt64(0)) { $0 &+ ($1.reader?.counter(word) ?? 0) })
    }

    func byLabel(
        _ label: String, _ values: [(String, IngestCounter)]
    ) -> [(labels: [(String, String)], value: Double)] {
        values.map { ([(label, $0.0)], sum($0.1)) }
    }

    private func byWorker(
        _ value: (LaneReader) -> Double
    ) -> [(labels: [(String, String)], value: Double)] {
        followers.compactMap { follower in
            follower.reader.map { ([("worker", "ingest-\(follower.worker)")], value($0)) }
        }
    }

    // MARK: Families

    private func addAgents(to builder: inout FamilyBuilder) {
        let agents = directory.listed()
        let listed = agents.values
        addSampleAges(agents, to: &builder)
        let online = listed.filter { $0.home.entry.status == .online }.count
        builder.add(
            "fodc_proxy_max_agents", .gauge, "Agents that may be listed at a time: --max-agents.",
            [([], Double(maximumAgents))])
        builder.add(
            "fodc_proxy_agents", .gauge, "Agents in the registry, by state.",
            [([("state", "online")], Double(online)), ([("state", "unconnected")], Double(listed.count - online))])
        builder.add(
            "fodc_proxy_agent_registrations_total", .counter, "Registrations, by what became of them.",
            byLabel(
                "outcome",
                [
                    ("new", .registeredNew), ("returned", .registeredReturned), ("twin", .registeredTwin),
                    ("refused_invalid", .refusedInvalid), ("refused_limit", .refusedLimit),
                    ("refused_loop", .refusedLoop), ("held_off", .refusedHeldOff),
                    ("refused_no_room", .refusedNoRoom), ("refused_silent", .refusedSilent),
                    ("refused_connection_limit", .refusedConnectionLimit),
                    ("refused_source_limit", .refusedSourceLimit),
                ]))
        builder.add(
            "fodc_proxy_registration_labels_left_out_total", .counter,
            "Labels of registrations that are not put on the agent's series: too many, too long, or of a bad name.",
            sum(.labelsLeftOut))
        addAcrossWorkers(to: &builder)
        // An agent that is lost leaves the registry later: two metrics, because in one it would count twice.
        builder.add(
            "fodc_proxy_agent_losses_total", .counter, "Agents that became unconnected, by cause.",
            byLabel(
                "cause",
                [
                    ("stream_ended", .lostStreamEnded), ("connection_lost", .lostConnection),
                    ("heartbeat_timeout", .lostHeartbeatTimeout), ("keepalive", .lostKeepalive),
                    ("worker_lost", .lostWorker),
                ]))
        builder.add(
            "fodc_proxy_agent_removals_total", .counter, "Agents that left the registry of a worker, by cause.",
            byLabel("cause", [("cleanup", .leftCleanup), ("evicted", .leftEvicted), ("moved", .leftElsewhere)]))
        builder.add(
            "fodc_proxy_agents_moved_total", .counter,
            "Agents that a worker with more than its share sent to the others.", sum(.agentsMoved))
        builder.add(
            "fodc_proxy_agents_adopted_total", .counter,
            "Agents taken over from the lane of a worker that was removed.", sum(.agentsAdopted))
        builder.add(
            "fodc_proxy_streams_refused_total", .counter, "Streams that were refused for their agent_id, by cause.",
            byLabel("cause", [("missing", .refusedNoAgentID), ("unknown", .refusedUnknownAgentID)]))
    }

    private func addCollections(to builder: inout FamilyBuilder) {
        builder.add(
            "fodc_proxy_collections_total", .counter, "Collections of the latest values that were started.",
            Double(collections.started))
        builder.add(
            "fodc_proxy_collections_joined_total", .counter, "Requests that joined a collection under way.",
            Double(collections.joined))
        builder.add(
            "fodc_proxy_window_collections_total", .counter, "Collections of windows that were started.",
            Double(windows.started))
        builder.add(
            "fodc_proxy_window_requests_refused_total", .counter,
            "Window requests answered with 503, by cause: they could not be taken, or their answer was not whole.",
            WindowRefusal.Cause.allCases.map { ([("cause", $0.rawValue)], Double(windows.refused[$0] ?? 0)) })
        builder.add(
            "fodc_proxy_collection_duration_seconds", "How long requests waited for a collection.",
            [([], collections.durations)])
        builder.add(
            "fodc_proxy_agent_requests_total", .counter, "Requests for metrics sent to agents.",
            byLabel("kind", [("latest", .askedLatest), ("window", .askedWindow)]))
        builder.add(
            "fodc_proxy_agent_answers_total", .counter, "StreamMetrics messages of agents, by what they were.",
            byLabel(
                "kind",
                [
                    ("latest", .answeredLatest), ("late", .answeredLate), ("window", .answeredWindow),
                    ("unasked", .answeredUnasked), ("malformed", .answeredMalformed),
                    ("too_many_entries", .answeredTooManyEntries),
                ]))
        builder.add(
            "fodc_proxy_agents_not_answered_total", .counter,
            "Agents that a collection ended without: silent until its end, or not asked since they owe an older answer.",
            byLabel("cause", [("silent", .notAnswered), ("busy", .notAskedBusy)]))
    }

    private func addSamples(to builder: inout FamilyBuilder) {
        builder.add(
            "fodc_proxy_samples_received_total", .counter, "Samples in the answers of agents.", sum(.samplesReceived))
        builder.add(
            "fodc_proxy_samples_accepted_total", .counter, "Samples that were taken over.", sum(.samplesAccepted))
        builder.add(
            "fodc_proxy_samples_dropped_total", .counter, "Samples that were left out, by cause.",
            DropCause.allCases.map {
                ([("cause", $0.name)], sum(word: IngestCounter.firstSampleDrop + $0.rawValue))
            })
        builder.add(
            "fodc_proxy_samples_served_total", .counter, "Samples written into complete /metrics answers.",
            Double(samplesServed))
        builder.add(
            "fodc_proxy_duplicate_series", .gauge,
            "Series that several agents sent, left out of the last /metrics answer.", Double(duplicateSeries))
        builder.add(
            "fodc_proxy_invalid_bound_series", .gauge,
            "Series of histograms and summaries left out of the last /metrics answer: le or quantile is no number.",
            Double(oddBounds))
    }

    private func addTransport(to builder: inout FamilyBuilder) {
        builder.add(
            "fodc_proxy_grpc_bytes_total", .counter, "Bytes on agents' connections.",
            byLabel("direction", [("in", .grpcBytesIn), ("out", .grpcBytesOut)]))
        builder.add(
            "fodc_proxy_grpc_messages_total", .counter, "gRPC messages on agents' streams.",
            byLabel("direction", [("in", .grpcMessagesIn), ("out", .grpcMessagesOut)]))
        builder.add(
            "fodc_proxy_grpc_connections", .gauge, "Open connections of agents, by worker.",
            byWorker { Double($0.counter(IngestCounter.connectionsOpen.rawValue)) })
        builder.add(
            "fodc_proxy_grpc_connections_accepted_total", .counter, "Connections accepted from agents.",
            sum(.connectionsAccepted))
        builder.add(
            "fodc_proxy_grpc_accepts_failed_total", .counter,
            "Attempts to accept an agent's connection that failed for want of descriptors or memory.",
            sum(.acceptsFailed))
        builder.add(
            "fodc_proxy_grpc_connections_closed_total", .counter, "Connections of agents that ended, by cause.",
            GRPCConnectionEnd.allCases.map {
                ([("cause", $0.name)], sum(word: IngestCounter.firstConnectionEnd + $0.rawValue))
            })
        builder.add(
            "fodc_proxy_grpc_streams_ended_total", .counter, "Streams that ended, by gRPC status code.",
            IngestCounter.statusCodeNames.enumerated().map { code, name in
                ([("code", name)], sum(word: IngestCounter.firstStreamEnd + code))
            })
        builder.add(
            "fodc_proxy_grpc_calls_refused_total", .counter,
            "Calls that were refused or ended because of what the client did, by cause.",
            GRPCCallRefusal.allCases.map {
                ([("cause", $0.name)], sum(word: IngestCounter.firstCallRefusal + $0.rawValue))
            })
        builder.add(
            "fodc_proxy_grpc_assembly_bytes", .gauge, "Bytes of messages that are not complete yet, by worker.",
            byWorker { Double($0.counter(IngestCounter.assemblyBytes.rawValue)) })
    }

    private func addLanes(to builder: inout FamilyBuilder) {
        // Three metrics, because each is a part of the one before: under one name their sum would mean nothing.
        builder.add(
            "fodc_proxy_lane_size_bytes", .gauge, "Size of an ingest worker's ring.",
            byWorker { Double($0.counter(IngestCounter.ringBytes.rawValue)) })
        builder.add(
            "fodc_proxy_lane_used_bytes", .gauge, "Bytes of records in an ingest worker's ring.",
            byWorker { Double($0.counter(IngestCounter.ringUsedBytes.rawValue)) })
        builder.add(
            "fodc_proxy_lane_current_bytes", .gauge,
            "Bytes of an ingest worker's ring that hold what is current, and cannot be given up.",
            byWorker { Double($0.counter(IngestCounter.ringCurrentBytes.rawValue)) })
        builder.add(
            "fodc_proxy_lane_unread_bytes", .gauge, "What this exporter has not read yet of a lane.",
            byWorker { Double($0.unreadBytes) })
        builder.add(
            "fodc_proxy_back_pressure_seconds_total", .counter,
            "Time in which an ingest worker did not read its sockets because its ring was full.",
            byWorker { Double($0.counter(IngestCounter.backPressureNanoseconds.rawValue)) / 1e9 })
        builder.add(
            "fodc_proxy_lane_records_lost_total", .counter, "Records that did not come through a lane, by cause.",
            byLabel("cause", [("too_large", .recordsTooLarge), ("no_memory", .recordsWithoutMemory)])
                + [
                    ([("cause", "damaged")], Double(followers.reduce(0) { $0 &+ $1.damagedRecords })),
                    ([("cause", "poison")], Double(skippedRecords)),
                ])
        builder.add(
            "fodc_proxy_lanes_replaced_total", .counter,
            "Lanes that a worker found unusable (damaged, or of another version) and began anew.", sum(.lanesReplaced))
        addDamage(to: &builder)
        builder.add(
            "fodc_proxy_lane_lost_bytes_total", .counter,
            "Bytes of lanes that were overwritten before this exporter read them.",
            Double(followers.reduce(0) { $0 &+ $1.lostBytes }))
    }

    private func addHTTP(to builder: inout FamilyBuilder) {
        builder.add(
            "fodc_proxy_http_requests_total", .counter,
            "HTTP requests by path and status code; aborted: the connection ended before a status was sent.",
            requests.counts.sorted { ($0.key.path, $0.key.code) < ($1.key.path, $1.key.code) }.map {
                ([("code", $0.key.codeName), ("path", $0.key.path)], Double($0.value))
            })
        builder.add(
            "fodc_proxy_http_request_duration_seconds", "From a request's head to the last byte of its answer.",
            requests.durations.sorted { $0.key < $1.key }.map { ([("path", $0.key)], $0.value) })
        builder.add(
            "fodc_proxy_http_connections", .gauge, "Open HTTP connections.", Double(http.connectionsOpen))
        builder.add(
            "fodc_proxy_http_connections_closed_total", .counter, "HTTP connections that ended, by cause.",
            HTTPCloseCause.allCases.map { ([("cause", $0.rawValue)], Double(http.connectionsClosed[$0] ?? 0)) })
        builder.add(
            "fodc_proxy_http_bytes_total", .counter, "Bytes on HTTP connections.",
            [([("direction", "in")], Double(http.bytesReceived)), ([("direction", "out")], Double(http.bytesSent))])
    }
}
