// SPDX-License-Identifier: Apache-2.0
import FODCProtocol

@testable import Metrics

/// The rules again, naive, on what generated code has decoded.
struct Reference {
    /// Text of the series, without the space, to the value's bits.
    var values: [String: UInt64] = [:]
    var received = 0

    init(
        _ message: Banyandb_Fodc_V1_StreamMetricsRequest, pod: String, role: String,
        labels nodeLabels: [String: String] = [:]
    ) {
        for metric in message.metrics {
            received += 1
            guard Self.isName(metric.name, colon: true) else { continue }
            var labels = metric.labels.filter { !$0.value.isEmpty }
            guard labels.keys.allSatisfy({ Self.isName($0, colon: false) && $0 != "__name__" }) else { continue }
            if labels["pod_name"] == nil { labels["pod_name"] = pod }
            if labels["node_role"] == nil { labels["node_role"] = role }
            for (key, value) in nodeLabels where labels["node_" + key] == nil && !value.isEmpty {
                labels["node_" + key] = value
            }
            guard labels.count <= 64 else { continue }
            let text =
                metric.name + "{"
                + labels.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }
                .map { "\($0.key)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",") + "}"
            var bits = metric.value.bitPattern
            if bits == 0x7ff0_0000_0000_0002 { bits = 0x7ff8_0000_0000_0001 }
            if let old = values[text].map(Double.init(bitPattern:)) {
                let new = Double(bitPattern: bits)
                if old.isNaN ? new.isNaN : !(new > old) { continue }
            }
            values[text] = bits
        }
    }

    private static func isName(_ name: String, colon: Bool) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f
                || (colon && $0 == 0x3a)
        }
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The same of rendered text. A line's value is what follows the last space.
    static func parse(_ text: String) -> [String: UInt64] {
        var values: [String: UInt64] = [:]
        for line in Pipeline.samples(text) {
            guard let space = line.lastIndex(of: " ") else { continue }
            let value = line[line.index(after: space)...]
            let bits = value == "NaN" ? 0x7ff8_0000_0000_0001 : Double(value)?.bitPattern
            values[String(line[..<space])] = bits
        }
        return values
    }

    /// NaN payloads do not survive text.
    var printable: [String: UInt64] {
        values.mapValues { Double(bitPattern: $0).isNaN ? 0x7ff8_0000_0000_0001 : $0 }
    }
}
