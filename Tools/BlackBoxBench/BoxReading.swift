// SPDX-License-Identifier: Apache-2.0
import BlackBox
import BlackBoxReports
import Database
import Metrics
import Platform

/// Times the answers that people wait for, without HTTP.
struct BoxReading {
    let path: String
    private static let repetitions = 11

    func show(podName: String) throws {
        var bytes = 0
        let export = try median { reader in
            let nodes = try reader.nodes(ofPod: podName)
            let until = try reader.extent(of: nodes)?.lastNanoseconds ?? 0
            let query = ExportQuery(
                nodes: nodes, fromNanoseconds: until - BlackBoxReader.defaultRangeNanoseconds, untilNanoseconds: until,
                format: .openMetrics)
            bytes = 0
            try reader.write(try reader.plan(query)) {
                bytes += $0.count
                return true
            }
        }
        Figure.show("15 minutes of a node as OpenMetrics", export, "ms, \(bytes >> 10) KiB")
        var query = IncidentQuery()
        Figure.show(
            "list of incidents", try median { bytes = try IncidentsReport.json(query, $0).count },
            "ms, \(bytes >> 10) KiB")
        query.limit = IncidentQuery.largestLimit
        Figure.show(
            "list of all incidents", try median { bytes = try IncidentsReport.json(query, $0).count },
            "ms, \(bytes >> 10) KiB")
        Figure.show(
            "list of nodes", try median { bytes = try NodesReport.json($0).count }, "ms, \(bytes >> 10) KiB")
    }

    /// Milliseconds, the opening of the database with them.
    private func median(_ body: (BlackBoxReader) throws -> Void) throws -> Double {
        var took: [UInt64] = []
        for _ in 0..<Self.repetitions {
            let began = MonotonicClock.nowNanoseconds()
            try body(try BlackBoxReader(path: path))
            took.append(MonotonicClock.nowNanoseconds() - began)
        }
        return Double(took.sorted()[took.count / 2]) / 1e6
    }
}

enum Figure {
    static func show(_ name: String, _ value: Double, _ unit: String) {
        let rounded = (value * 1000).rounded() / 1000
        print("  \(name): \(rounded) \(unit)")
    }
}
