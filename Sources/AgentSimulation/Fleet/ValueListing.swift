// SPDX-License-Identifier: Apache-2.0

/// What the agents of a fleet send at one moment, for tests that compare it with what arrives elsewhere.
public struct ValueListing {
    private let settings: FleetSettings
    private let plans: [NodeKind: SeriesPlan]

    public init(_ settings: FleetSettings) {
        self.settings = settings
        plans = Dictionary(
            uniqueKeysWithValues: Set(settings.mix.turn).map {
                ($0, SeriesPlan(kind: $0, count: settings.seriesCount))
            })
    }

    /// One line a series: `name{labels} value`, labels sorted and escaped as in Prometheus' text format, the value in
    /// the shortest form that reads back to the same bits, a blank, and the seconds for which it holds.
    ///
    /// With the labels that agents send; the proxy adds `node_…` of the registration's.
    ///
    /// - Parameter nowSeconds: each agent's latest values at that time.
    public func write(nowSeconds: Int64, to output: (String) -> Void) {
        for place in 0..<settings.agentCount {
            let identity = AgentIdentity(
                index: settings.startIndex + place, mix: settings.mix, podPrefix: settings.podPrefix)
            let keys = AnswerKeys(podName: identity.podName, seed: settings.seed)
            let seconds = settings.schedule(for: identity).latest(nowSeconds: nowSeconds)
            for series in plans[identity.kind]?.series ?? [] {
                let value = keys.value(
                    model: series.model, childKey: series.childKey, textKey: series.textKey, source: settings.values,
                    seconds: seconds)
                let labels = series.labels(podName: identity.podName)
                    .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
                    .map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
                output("\(series.name){\(labels.joined(separator: ","))} \(value) \(seconds)")
            }
        }
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
