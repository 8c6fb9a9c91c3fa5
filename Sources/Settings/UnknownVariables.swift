// SPDX-License-Identifier: Apache-2.0
import TestHooks

/// `FODC_…` variables that no flag has: mostly typing mistakes, which nobody would notice otherwise.
public enum UnknownVariables {
    /// One line for each, in the order of their names.
    ///
    /// - Parameter entries: `NAME=value`.
    public static func warnings(of entries: [String]) -> [String] {
        let known = Set(SettingsFlag.allCases.map(\.environmentVariable))
        return entries.compactMap { entry -> (name: String, line: String)? in
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard name.hasPrefix(SettingsFlag.variablePrefix), !known.contains(name), name != ReloadVariable.name,
                !TestHooks.isVariable(name), !isOfKubernetes(name, value: parts.count > 1 ? parts[1] : "")
            else { return nil }
            let near = nearest(to: name, among: known)
            return (name, "unknown variable \(name) is ignored" + (near.map { "; did you mean \($0)?" } ?? ""))
        }.sorted { $0.name < $1.name }.map(\.line)
    }

    /// Kubernetes gives each container variables that tell of each service: `FODC_PROXY_SERVICE_HOST=10.0.0.1` and
    /// `FODC_PROXY_PORT_17912_TCP=tcp://10.0.0.1:17912` for one that is called `fodc-proxy`.
    private static func isOfKubernetes(_ name: String, value: Substring) -> Bool {
        if name.hasSuffix("_SERVICE_HOST") || name.contains("_SERVICE_PORT") { return true }
        let protocols = ["TCP", "UDP", "SCTP"]
        if name.hasSuffix("_PORT"), protocols.contains(where: { value.hasPrefix("\($0.lowercased())://") }) {
            return true
        }
        // …_PORT_<number>_<protocol>, and that with _PROTO, _PORT or _ADDR.
        var words = name.split(separator: "_")[...]
        if let last = words.last, ["PROTO", "PORT", "ADDR"].contains(last) { words = words.dropLast() }
        guard let last = words.popLast(), protocols.contains(String(last)), let number = words.popLast(),
            UInt16(number) != nil
        else { return false }
        return words.last == "PORT"
    }

    /// Changes of one letter that are still a typing mistake.
    private static let limitDistance = 2

    private static func nearest(to name: String, among known: Set<String>) -> String? {
        let best = known.map { (name: $0, distance: distance($0, name)) }.min {
            ($0.distance, $0.name) < ($1.distance, $1.name)
        }
        return best.flatMap { $0.distance <= limitDistance ? $0.name : nil }
    }

    /// Letters to be put in, taken out or changed to make one of the other.
    private static func distance(_ first: String, _ second: String) -> Int {
        let (first, second) = (Array(first.utf8), Array(second.utf8))
        var row = Array(0...second.count)
        for (line, letter) in first.enumerated() {
            var corner = row[0]
            row[0] = line + 1
            for (column, other) in second.enumerated() {
                let changed = corner + (letter == other ? 0 : 1)
                corner = row[column + 1]
                row[column + 1] = min(changed, corner + 1, row[column] + 1)
            }
        }
        return row[second.count]
    }
}
