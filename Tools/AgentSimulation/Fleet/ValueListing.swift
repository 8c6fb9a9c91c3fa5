// SPDX-License-Identifier: Apache-2.0

import Platform

/// The values that the agents of a fleet send at one moment, for tests that compare them with what the proxy serves.
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
    /// With the labels with which series leave the proxy, but for `node_…` out of the labels of the registration: the
    /// proxy puts `pod_name` and `node_role` on what agents send without.
    ///
    /// - Parameter nowSeconds: each agent's latest values at that time; `nil` is now.
    public func write(nowSeconds: Int64?, to output: (String) -> Void) {
        let nowSeconds = nowSeconds ?? WallClock.nowNanoseconds() / 1_000_000_000
        for place in 0..<settings.agentCount {
            let identity = SimulatedIdentity(
                index: settings.startIndex + place, mix: settings.mix, podPrefix: settings.podPrefix)
            let keys = AnswerKeys(podName: identity.podName, seed: settings.seed)
            let seconds = settings.schedule(for: identity).latest(nowSeconds: nowSeconds)
            for series in plans[identity.kind]?.series ?? [] {
                let value = keys.value(
                    model: series.model, childKey: series.childKey, textKey: series.textKey, source: settings.values,
                    seconds: seconds)
                var labels = series.labels(podName: identity.podName)
                if !series.hasPodName {
                    labels += [("pod_name", identity.podName), ("node_role", identity.nodeRole)]
                }
                labels.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
                let text = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
                output("\(series.name){\(text)} \(value) \(seconds)")
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
