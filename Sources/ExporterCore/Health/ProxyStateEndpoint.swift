// SPDX-License-Identifier: Apache-2.0
import Calendar
import HTTPServer
import JSONWriting
import NIOCore
import Platform
import RingMessages
import Rings
import Settings
import WorkerLink

/// `GET /proxy`: the state of the proxy itself, as `fodc-proxy ctl status` has it, with its rings, resources and the limits
/// that were reached.
final class ProxyStateEndpoint {
    static let path = "/proxy"

    private let core: ExporterRuntime
    private let web: HTTPFrontend
    private let registry: MetricRegistry
    private let health: HealthEndpoint
    private let processes: ProcessMetrics

    init(_ context: FeatureContext, _ health: HealthEndpoint, _ processes: ProcessMetrics) {
        core = context.core
        web = context.web
        registry = context.registry
        self.health = health
        self.processes = processes
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let now = MonotonicClock.nowNanoseconds()
        let reasons = health.reasons(nowNanoseconds: now)
        let agents = health.counts.current()
        let families = registry.families().families
        var json = JSONWriter()
        json.object { json in
            json.member("version", ProxyVersion.current)
            json.member("status", reasons.isEmpty ? "healthy" : "degraded")
            json.member("reasons", reasons)
            json.member("started_at") { $0.time(startedAt(now)) }
            json.member("agents_online", agents.online)
            json.member("agents_total", agents.total)
            json.member("max_agents", core.launch.settings.maxAgents)
            json.member("ingest_workers_wanted", counter(.ingestWorkersWanted))
            json.member("supervisor_starts", counter(.supervisorStarts))
            json.member("reloads") { appendReloads(to: &$0) }
            json.member("processes") { appendProcesses(to: &$0) }
            json.member("rings", list: core.ingestEndpoints.followers) { append(ring: $1, to: &$0) }
            json.member("http") { appendConnections(to: &$0) }
            json.member("certificates", list: ProxyLimits.certificates(families)) { json, one in
                json.object { json in
                    json.member("series", one.series)
                    json.member("expires_at") { $0.time(EpochTime(seconds: one.seconds)) }
                }
            }
            json.member("limits", list: ProxyLimits.reached(families)) { json, limit in
                json.object { json in
                    json.member("series", limit.series)
                    json.member("count") { $0.raw(Array(limit.value.utf8)) }
                    json.member("help", limit.help)
                }
            }
        }
        json.raw(Array("\n".utf8))
        TaggedAnswer.respond(
            to: request, responder, contentType: "application/json", ByteBuffer(bytes: json.bytes))
    }

    private func counter(_ counter: SupervisorCounter) -> UInt64 { core.control.counter(counter.rawValue) }

    /// In whole seconds: the distance of the two clocks is not always the same.
    private func startedAt(_ now: UInt64) -> EpochTime {
        let age = now.elapsed(since: counter(.serviceStartedAtNanoseconds))
        return EpochTime(seconds: WallClock.nowNanoseconds().subtractingClamped(Int64(clamping: age)) / 1_000_000_000)
    }

    private func appendReloads(to json: inout JSONWriter) {
        let last = Int64(clamping: counter(.lastReloadAtNanoseconds))
        json.object { json in
            json.member("succeeded", counter(.reloadsSucceeded))
            json.member("failed", counter(.reloadsFailed))
            json.member("last_at", optional: last == 0 ? nil : last) { $0.time(EpochTime(nanosecondsSinceEpoch: $1)) }
        }
    }

    // MARK: Processes

    private var workers: [(name: String, status: WorkerTableEntry)] {
        let listed = health.workers
        let recorder = core.control.worker(.recorder, 0)
        guard recorder.generation > 0, !listed.contains(where: { $0.name == Self.recorder }) else { return listed }
        return listed + [(Self.recorder, recorder)]
    }

    private static let recorder = "recorder"

    private func appendProcesses(to json: inout JSONWriter) {
        let usage = Dictionary(processes.processes.map { ($0.name, $0.usage) }) { first, _ in first }
        var supervisor = WorkerTableEntry()
        supervisor.processID = core.control.supervisorProcessID
        supervisor.state = .running
        json.array([(name: "supervisor", status: supervisor)] + workers) { json, worker in
            json.object { json in
                append(worker.name, worker.status, to: &json)
                json.member("resident_bytes", optional: usage[worker.name].flatMap { $0?.residentBytes }) {
                    $0.number($1)
                }
                json.member("cpu_seconds", optional: usage[worker.name].flatMap { $0 }) { json, usage in
                    json.seconds(nanoseconds: UInt64((usage.userSeconds + usage.systemSeconds) * 1e9))
                }
            }
        }
    }

    private func append(_ name: String, _ status: WorkerTableEntry, to json: inout JSONWriter) {
        json.member("name", name)
        json.member("pid", status.processID)
        json.member("state", "\(status.state)")
        json.member("generation", status.generation)
        let startedAt = status.startedAtNanoseconds
        json.member("started_at", optional: startedAt == 0 ? nil : startedAt) {
            $0.time(EpochTime(nanosecondsSinceEpoch: $1))
        }
        json.member("restarts", status.restartCount)
        json.member("restarts_by_cause") { json in
            json.object { json in
                for cause in WorkerTableEntry.Cause.allCases where status.restarts(after: cause) > 0 {
                    json.member(named: cause.name) { $0.number(status.restarts(after: cause)) }
                }
            }
        }
        json.member("deaths_in_row", status.deathsInRow)
        let isEnded = status.cause != .none
        json.member("last_end", optional: isEnded ? status : nil) { json, status in
            json.object { json in
                json.member("cause", status.cause.name)
                json.member("detail", status.causeDetail)
                json.member("at") { $0.time(EpochTime(nanosecondsSinceEpoch: status.diedAtNanoseconds)) }
            }
        }
    }

    // MARK: Rings and connections

    private func append(ring follower: RingFollower, to json: inout JSONWriter) {
        func count(_ counter: IngestCounter) -> UInt64 { follower.reader?.counter(counter.rawValue) ?? 0 }
        json.object { json in
            json.member("worker", "ingest-\(follower.worker)")
            json.member("bytes", count(.ringBytes))
            json.member("used_bytes", count(.ringUsedBytes))
            json.member("current_bytes", count(.ringCurrentBytes))
            json.member("unread_bytes", follower.reader?.unreadBytes ?? 0)
            json.member("is_full", count(.waitsForRoom) != 0)
            json.member("back_pressure_seconds") { $0.seconds(nanoseconds: count(.backPressureNanoseconds)) }
            json.member("agents_online", count(.agentsOnline))
            json.member("agents_unconnected", count(.agentsUnconnected))
            json.member("connections", count(.connectionsOpen))
        }
    }

    private func appendConnections(to json: inout JSONWriter) {
        let statistics = web.server.statistics
        json.object { json in
            json.member("connections", statistics.connectionsOpen)
            json.member("closed") { json in
                json.object { json in
                    for cause in HTTPCloseCause.allCases {
                        guard let count = statistics.connectionsClosed[cause], count > 0 else { continue }
                        json.member(named: cause.rawValue) { $0.number(count) }
                    }
                }
            }
        }
    }
}
