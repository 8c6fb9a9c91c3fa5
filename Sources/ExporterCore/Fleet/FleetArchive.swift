// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import NIOCore
import Platform

/// The black box' records of all nodes, for the fleet's list: those that are gone and why, restarts, open incidents. They are
/// read on a thread of its own while somebody looks at the fleet; those that were read last serve meanwhile.
final class FleetArchive {
    struct Records: Sendable {
        var gone: [FleetRow] = []
        /// By pod.
        var restarts: [String: Int] = [:]
        var openIncidents: [String: Int] = [:]
        /// The newest first.
        var incidents: [Incident] = []
        /// Why the database could not be read; `nil`: it was.
        var trouble: String?
    }

    /// Between two readings.
    private static let intervalNanoseconds: UInt64 = 2_000_000_000
    /// Incidents that are looked at: as many as are kept by default.
    private static let maximumIncidents = 1000

    private let path: String
    private let loop: any EventLoop
    private let thread: JobThread
    /// `nil` before the first reading.
    private(set) var records: Records?
    private var readAtNanoseconds: UInt64 = 0
    private var isReading = false

    init(path: String, loop: any EventLoop) throws(SystemError) {
        self.path = path
        self.loop = loop
        thread = try JobThread(name: "fleet-archive")
    }

    deinit { thread.stop() }

    /// - Parameters:
    ///   - now: `CLOCK_MONOTONIC`.
    ///   - done: called on the event loop when something new was read.
    func readIfDue(nowNanoseconds now: UInt64, done: @escaping () -> Void) {
        guard !isReading, records == nil || now.elapsed(since: readAtNanoseconds) >= Self.intervalNanoseconds else {
            return
        }
        isReading = true
        readAtNanoseconds = now
        let bound = NIOLoopBound((archive: self, done: done), eventLoop: loop)
        thread.run { [path, loop] in
            let records = Self.read(path)
            loop.execute {
                bound.value.archive.take(records)
                bound.value.done()
            }
        }
    }

    private func take(_ read: Records) {
        isReading = false
        // While a disk fails, what was known before is more than nothing.
        if read.trouble != nil, records != nil { records?.trouble = read.trouble } else { records = read }
    }

    private static func read(_ path: String) -> Records {
        var records = Records()
        do throws(DatabaseError) {
            let reader = try BlackBoxReader(path: path)
            records.gone = try reader.nodes().filter { $0.goneAtNanoseconds != nil }.map(row)
            var query = IncidentQuery()
            query.limit = maximumIncidents
            records.incidents = try reader.incidents(query).found
        } catch {
            records.trouble = error.description
        }
        for incident in records.incidents where !incident.podName.isEmpty {
            if incident.closedAtNanoseconds == nil { records.openIncidents[incident.podName, default: 0] += 1 }
            if incident.kind == .nodeRestarted {
                records.restarts[incident.podName, default: 0] += incident.occurrenceCount
            }
        }
        return records
    }

    private static func row(of node: StoredNode) -> FleetRow {
        var row = FleetRow(
            podName: node.podName, agentID: node.agentID, role: node.role,
            tier: FleetRow.tier(role: node.role, labels: [:]),
            zone: "", address: node.address, state: .gone, registeredAtNanoseconds: node.firstSeenNanoseconds,
            lastSampleAtNanoseconds: nil, series: 0)
        row.why = node.goneReason ?? "it has left the registry"
        row.sinceNanoseconds = node.goneAtNanoseconds ?? node.lastSeenNanoseconds
        return row
    }

    /// The rows with what is recorded: nodes that are gone are there although this exporter has never seen them, with the
    /// cause that was noticed.
    static func complete(_ rows: [FleetRow], _ records: Records) -> [FleetRow] {
        var goneByPod = Dictionary(records.gone.map { ($0.podName, $0) }) {
            $0.sinceNanoseconds > $1.sinceNanoseconds ? $0 : $1
        }
        var result: [FleetRow] = []
        for row in rows {
            var row = row
            let gone = goneByPod.removeValue(forKey: row.podName)
            if row.state == .gone, let gone {
                row.why = gone.why
                row.sinceNanoseconds = gone.sinceNanoseconds
            }
            result.append(row)
        }
        result += goneByPod.values
        return result.map { row in
            var row = row
            row.restarts = records.restarts[row.podName] ?? 0
            row.openIncidents = records.openIncidents[row.podName] ?? 0
            return row
        }
    }
}
