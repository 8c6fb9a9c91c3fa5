// SPDX-License-Identifier: Apache-2.0

/// One line about the fleet, for people or for programs.
struct StatusReport {
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

    /// An object on one line. All names of errors are this program's own, but escaped nevertheless.
    var json: String {
        let errors = counts.errors.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\($0.value)" }
        let fields = [
            "\"event\":\(Self.quoted(event.rawValue))",
            "\"elapsed_seconds\":\(Self.rounded(elapsedSeconds))",
            "\"agents\":\(agentCount)",
            "\"connected\":\(counts.connected)",
            "\"registered\":\(counts.registered)",
            "\"registrations\":\(counts.registrations)",
            "\"heartbeats\":\(counts.heartbeats)",
            "\"requests\":\(counts.requests)",
            "\"answers\":\(counts.answers)",
            "\"window_answers\":\(counts.windowAnswers)",
            "\"stream_answers\":{\(streamAnswers.map { "\(Self.quoted($0.name)):\($0.count)" }.joined(separator: ","))}",
            "\"samples\":\(counts.samples)",
            "\"bytes_sent\":\(counts.bytesSent)",
            "\"bytes_received\":\(counts.bytesReceived)",
            "\"cpu_seconds\":\(Self.rounded(processorSeconds))",
            "\"peak_resident_bytes\":\(peakResidentBytes)",
            "\"errors\":{\(errors.joined(separator: ","))}",
        ]
        return "{\(fields.joined(separator: ","))}"
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

    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": out += "\\\(scalar)"
            case "\u{0}"..<"\u{20}": out += "?"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
