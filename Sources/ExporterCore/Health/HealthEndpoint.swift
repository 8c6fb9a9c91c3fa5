// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import JSONWriting
import NIOCore
import Platform
import RingMessages
import Rings
import Settings
import WorkerLink

/// `GET /health`: 200 also when degraded, since the proxy then still serves what it has.
final class HealthEndpoint {
    private let control: WorkerTableReader
    private let generation: UInt64
    private let ingestEndpoints: IngestEndpoints
    private var losses = RecentIncreases()
    let counts: AgentCounts

    init(directory: AgentDirectory, control: WorkerTableReader, generation: UInt64, ingestEndpoints: IngestEndpoints) {
        counts = AgentCounts(directory: directory)
        self.control = control
        self.generation = generation
        self.ingestEndpoints = ingestEndpoints
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let now = MonotonicClock.nowNanoseconds()
        let agents = counts.current()
        let reasons = self.reasons(nowNanoseconds: now)
        let startedAt = control.counter(SupervisorCounter.serviceStartedAtNanoseconds.rawValue)
        func seconds(since start: UInt64) -> UInt64 { (now - min(now, start)) / 1_000_000_000 }
        var json = JSONWriter()
        json.object { json in
            json.member("status", reasons.isEmpty ? "healthy" : "degraded")
            if !reasons.isEmpty { json.member("reason", reasons.joined(separator: "; ")) }
            json.member("agents_online", agents.online)
            json.member("agents_total", agents.total)
            json.member("uptime_seconds", seconds(since: startedAt))
            json.member("version", ProxyVersion.current)
            json.member("workers", list: workers) { json, worker in
                json.object {
                    $0.member("name", worker.name)
                    $0.member("pid", worker.status.processID)
                    $0.member("state", "\(worker.status.state)")
                    $0.member("restarts", worker.status.restartCount)
                    $0.member("uptime_seconds", seconds(since: worker.status.startedAtMonotonicNanoseconds))
                }
            }
        }
        responder.respond(
            status: 200, contentType: "application/json", headers: [("Cache-Control", "no-store")],
            body: .bytes(ByteBuffer(bytes: json.bytes + Array("\n".utf8))))
    }

    /// For those who have not said who they are: enough for a probe, and nothing of what runs here.
    func handleStatusAlone(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let reasons = self.reasons(nowNanoseconds: MonotonicClock.nowNanoseconds())
        var json = JSONWriter()
        json.object { $0.member("status", reasons.isEmpty ? "healthy" : "degraded") }
        responder.respond(
            status: 200, contentType: "application/json", headers: [("Cache-Control", "no-store")],
            body: .bytes(ByteBuffer(bytes: json.bytes + Array("\n".utf8))))
    }

    var workers: [(name: String, status: WorkerTableEntry)] {
        [("exporter", control.exporter(generation: generation) ?? WorkerTableEntry())]
            + ingestEndpoints.all.map { ("ingest-\($0.index)", control.worker(.ingest, $0.index)) }
    }

    /// Why it is degraded; none: it is not.
    func reasons(nowNanoseconds now: UInt64) -> [String] {
        var reasons: [String] = []
        let told = control.degradedReason
        if !told.isEmpty { reasons.append(told) }
        // One that is removed is gone for good, and its ring soon is; one that drains does so in good order.
        let wanted = control.counter(SupervisorCounter.ingestWorkersWanted.rawValue)
        for endpoint in ingestEndpoints.all where wanted == 0 || endpoint.index < wanted {
            let row = control.worker(.ingest, endpoint.index)
            // One that somebody has drained is told by the supervisor, with the remedy.
            let isWanted = row.state == .drained || row.state == .dead && row.cause == .requested
            if !row.state.isAlive, !isWanted { reasons.append("ingest-\(endpoint.index) is \(row.state)") }
        }
        for follower in ingestEndpoints.followers {
            guard let reader = follower.reader else {
                let why = follower.faults.openFlaw.map { ": \($0.reason)" } ?? ""
                reasons.append("cannot read the data ring of ingest-\(follower.worker)\(why)")
                continue
            }
            if let trouble = follower.faults.trouble {
                reasons.append("the data ring of ingest-\(follower.worker) is damaged: \(trouble)")
            }
            for stalled in [IngestCounter.commandsStalledA, .commandsStalledB]
            where reader.counter(stalled.rawValue) != 0 {
                reasons.append("ingest-\(follower.worker) cannot read its commands")
            }
            if reader.counter(IngestCounter.waitsForRoom.rawValue) != 0 {
                reasons.append("the data ring of ingest-\(follower.worker) is full")
            }
            let lost =
                reader.counter(IngestCounter.recordsTooLarge.rawValue)
                &+ reader.counter(IngestCounter.recordsWithoutMemory.rawValue)
            if losses.isRecent(follower.worker, count: lost, nowNanoseconds: now) {
                reasons.append(
                    "ingest-\(follower.worker) had to drop records: raise --ring-max-size or the memory limit")
            }
        }
        return reasons
    }
}

/// Counters that have grown recently. Older events are for the metrics, not for a verdict on now.
struct RecentIncreases {
    static let recentNanoseconds: UInt64 = 300 * 1_000_000_000

    private var last: [Int: (count: UInt64, grewAt: UInt64?)] = [:]

    /// The first look only notes where the counter stands.
    mutating func isRecent(_ key: Int, count: UInt64, nowNanoseconds now: UInt64) -> Bool {
        guard let known = last[key] else {
            last[key] = (count, nil)
            return false
        }
        if count != known.count { last[key] = (count, now) }
        guard let grewAt = last[key]?.grewAt else { return false }
        return now.elapsed(since: grewAt) < Self.recentNanoseconds
    }
}
