// SPDX-License-Identifier: Apache-2.0
import JSONWriting

/// One line about the fleet, for people or for programs.
struct SimulatorStatus {
    enum Event: String {
        /// The agents begin to connect.
        case started
        case status
        /// For the first time since the start, or since it was not so, every agent is registered.
        case allRegistered = "all_registered"
        case ended
    }

    var event: Event
    var agentCount: Int
    var elapsedSeconds: Double
    var processorSeconds: Double
    var peakResidentBytes: Int
    var counts: FleetStatistics.Counts

    /// An object on one line.
    var json: String {
        var json = JSONWriter()
        json.object { json in
            json.member("event", event.rawValue)
            json.member("elapsed_seconds") { Self.append(elapsedSeconds, to: &$0) }
            json.member("agents", agentCount)
            json.member("connected", counts.connected)
            json.member("registered", counts.registered)
            json.member("registrations", counts.registrations)
            json.member("heartbeats", counts.heartbeats)
            json.member("requests", counts.requests)
            json.member("answers", counts.answers)
            json.member("window_answers", counts.windowAnswers)
            json.member("stream_answers") { Self.append(streamAnswers, to: &$0) }
            json.member("samples", counts.samples)
            json.member("bytes_sent", counts.bytesSent)
            json.member("bytes_received", counts.bytesReceived)
            json.member("cpu_seconds") { Self.append(processorSeconds, to: &$0) }
            json.member("peak_resident_bytes", peakResidentBytes)
            json.member("errors") { Self.append(counts.errors.sorted { $0.key < $1.key }.map { ($0, $1) }, to: &$0) }
        }
        return json.text
    }

    private static func append(_ seconds: Double, to json: inout JSONWriter) {
        json.raw(Array("\(rounded(seconds))".utf8))
    }

    private static func append(_ counts: [(name: String, count: Int)], to json: inout JSONWriter) {
        json.object { json in
            for (name, count) in counts { json.member(named: name) { $0.number(count) } }
        }
    }

    /// Of every stream that has answered, in the streams' order.
    private var streamAnswers: [(name: String, count: Int)] {
        AgentMethod.allCases.compactMap { method in
            counts.streamAnswers[method].map { (method.shortName, $0) }
        }
    }

    var text: String {
        let errors = counts.errors.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let lead =
            switch event {
            case .started: "starting \(agentCount) agents"
            case .allRegistered: "all \(agentCount) agents are registered"
            case .status: "\(counts.registered) of \(agentCount) agents registered"
            case .ended: "ended"
            }
        let others = streamAnswers.map { "\($0.count) \($0.name), " }.joined()
        return
            "\(Self.rounded(elapsedSeconds))s \(lead); \(counts.answers) answers, \(counts.samples) samples, \(others)"
            + "\(counts.bytesSent >> 20) MiB sent, \(Self.rounded(processorSeconds))s of CPU, "
            + "\(peakResidentBytes >> 20) MiB at most"
            + (errors.isEmpty ? "" : "; errors: \(errors.joined(separator: ", "))")
    }

    private static func rounded(_ seconds: Double) -> Double {
        (seconds * 1000).rounded() / 1000
    }
}
