// SPDX-License-Identifier: Apache-2.0
import AgentSimulation
import Metrics

/// The values of simulated agents as the recorder reads them in a ring: decoded, in the order of the agents' series tables.
struct SimulatedColumns {
    struct Agent {
        var podName: String
        /// The payload of a `series` record.
        var table: [UInt8]
        /// By row, bit patterns.
        var rows: [[UInt64]]
    }

    static let secondsPerRow: Int64 = 10

    private(set) var agents: [Agent] = []

    init(agents count: Int, series seriesCount: Int, rows: Int, startSeconds: Int64) throws {
        var settings = FleetSettings()
        settings.agentCount = count
        settings.seriesCount = seriesCount
        let listing = ValueListing(settings)
        var senders: [Sender] = []
        for row in 0..<rows {
            var lines: [String] = []
            listing.write(nowSeconds: startSeconds + Int64(row) * Self.secondsPerRow) { lines.append($0) }
            for place in 0..<count {
                let own = lines[place * seriesCount..<(place + 1) * seriesCount]
                if row == 0 {
                    let sender = Sender(own)
                    senders.append(sender)
                    _ = try sender.columns(own)
                    agents.append(Agent(podName: sender.podName, table: sender.table, rows: []))
                }
                agents[place].rows.append(try senders[place].columns(own))
            }
        }
    }

    /// An agent that sends the lines of a ``ValueListing``, and the ingest worker's decoder of its answers.
    private final class Sender {
        let podName: String
        private var message: [UInt8] = []
        /// Where the values stand in the message.
        private var valuePlaces: [Int] = []
        private let series: AgentSeries

        init(_ lines: ArraySlice<String>) {
            var podName = ""
            for line in lines {
                var metric: [UInt8] = []
                let text = line.split(separator: " ")[0]
                let parts = text.split(separator: "{", maxSplits: 1)
                Self.append(&metric, 1, Array(parts[0].utf8))
                for label in parts[1].dropLast().split(separator: ",") {
                    let pair = label.split(separator: "=", maxSplits: 1)
                    let value = pair[1].dropFirst().dropLast()
                    if pair[0] == "pod_name" { podName = String(value) }
                    var entry: [UInt8] = []
                    Self.append(&entry, 1, Array(pair[0].utf8))
                    Self.append(&entry, 2, Array(value.utf8))
                    Self.append(&metric, 2, entry)
                }
                metric.append(3 << 3 | 1)
                Self.append(&message, 1, metric + [UInt8](repeating: 0, count: 8))
                valuePlaces.append(message.count - 8)
            }
            self.podName = podName
            series = AgentSeries(
                limits: SeriesLimits(), hashKey: (1, 2),
                enrichment: Enrichment(podName: podName, nodeRole: "ROLE_DATA", labels: [:]), firstTableNumber: 1)
        }

        func columns(_ lines: ArraySlice<String>) throws -> [UInt64] {
            for (line, place) in zip(lines, valuePlaces) {
                let fields = line.split(separator: " ")
                let bits = (Double(fields[fields.count - 2]) ?? 0).bitPattern
                for byte in 0..<8 { message[place + byte] = UInt8(truncatingIfNeeded: bits >> (8 * byte)) }
            }
            let answer = message
            _ = try series.decodeLatest(answer.span.bytes, receivedAtNanoseconds: 1)
            let payload = [UInt8](unsafeUninitializedCapacity: series.sampleByteCount) { buffer, count in
                var span = OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(buffer), initializedCount: 0)
                series.writeSample(into: &span)
                count = span.finalize(for: UnsafeMutableRawBufferPointer(buffer))
            }
            return SampleColumns(payload: payload.span.bytes)?.valueBits ?? []
        }

        var table: [UInt8] {
            [UInt8](unsafeUninitializedCapacity: series.tableByteCount) { buffer, count in
                var span = OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(buffer), initializedCount: 0)
                series.writeTable(into: &span)
                count = span.finalize(for: UnsafeMutableRawBufferPointer(buffer))
            }
        }

        /// A field of bytes, as the protobuf encoding has it.
        private static func append(_ bytes: inout [UInt8], _ field: UInt8, _ body: [UInt8]) {
            bytes.append(field << 3 | 2)
            var rest = body.count
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
            bytes += body
        }
    }
}
