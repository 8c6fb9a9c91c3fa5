// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Calendar
import Database
import JSONWriting
import Metrics
import Platform

/// The answer of `/black-box/{pod_name}/summary`: a node's most telling metrics over a time, thinned out for charts.
public struct NodeSummary {
    /// Points of a line at most: more than a chart has pixels for are of no help.
    public static let maximumPoints = 240
    /// Points of all series that are looked at, 16 bytes each; a longer time is refused.
    public static let maximumCollectedPoints = 2 << 20

    public enum Failure: Error {
        case tooLong
        case database(DatabaseError)
    }

    public let json: [UInt8]

    /// - Parameter nodes: those of one pod, the oldest first.
    public init(
        _ nodes: [StoredNode], fromNanoseconds from: Int64, untilNanoseconds until: Int64, _ reader: BlackBoxReader
    ) throws(Failure) {
        var query = ExportQuery(
            nodes: nodes, fromNanoseconds: from, untilNanoseconds: until, matches: SummaryChart.matches, format: .json)
        query.maximumPoints = Self.maximumCollectedPoints
        let series: [CollectedSeries]?
        let extent: BlackBoxReader.SampleExtent?
        let incidents: [Incident]
        do throws(DatabaseError) {
            series = try reader.plan(query).collect(reader)
            extent = try reader.extent(of: nodes)
            var wanted = IncidentQuery()
            // A node that goes is an incident after its last sample.
            (wanted.podName, wanted.sinceNanoseconds) = (nodes.last?.podName, from)
            wanted.untilNanoseconds = until.addingClamped(IncidentPin.afterNanoseconds)
            incidents = try reader.incidents(wanted).found
        } catch {
            throw .database(error)
        }
        guard let series else { throw .tooLong }
        let clock = ChartClock(fromNanoseconds: from, untilNanoseconds: until, maximumPoints: Self.maximumPoints)
        let charts = SummaryChart.all.map { ($0, $0.lines(of: series, clock)) }.filter { !$0.1.isEmpty }
        var json = JSONWriter()
        json.object { json in
            if let node = nodes.last { json.identity(of: node) }
            json.member("first_sample", nanoseconds: extent?.firstNanoseconds)
            json.member("last_sample", nanoseconds: extent?.lastNanoseconds)
            json.member("start", nanoseconds: from)
            json.member("end", nanoseconds: until)
            json.member("step_seconds") { $0.seconds(nanoseconds: UInt64(clock.stepMicroseconds) * 1000) }
            json.member("charts", list: charts) { json, chart in
                json.object { Self.append(chart.0, chart.1, to: &$0) }
            }
            json.member("incidents", list: incidents) { json, incident in
                json.object { IncidentsReport.append(incident, to: &$0) }
            }
        }
        self.json = json.bytes
    }

    private static func append(_ chart: SummaryChart, _ lines: [ChartLine], to json: inout JSONWriter) {
        json.member("id", chart.id)
        json.member("title", chart.title)
        json.member("unit", chart.unit)
        json.member("lines", list: lines) { json, line in
            json.object { json in
                json.member("name", line.name)
                json.member("container_name", line.containerName)
                json.member("points", list: line.points) { json, point in
                    json.array([point.seconds, point.value]) { $0.finite($1) }
                }
            }
        }
    }
}

extension JSONWriter {
    /// A number as short as it can be; not for NaN and infinities, which JSON does not have.
    mutating func finite(_ value: Double) {
        let whole = Int64(exactly: value)
        raw(Array((whole.map { "\($0)" } ?? "\(value)").utf8))
    }
}
