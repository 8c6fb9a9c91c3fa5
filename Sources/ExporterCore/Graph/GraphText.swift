// SPDX-License-Identifier: Apache-2.0
import JSONWriting

/// The graph for other programs: Graphviz' DOT, Mermaid, JSON.
enum GraphText {
    /// For Graphviz: `curl …?format=dot | dot -Tsvg`.
    static func dot(_ graph: ClusterGraph) -> String {
        var out = "digraph cluster {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n"
        for (index, column) in graph.columns.enumerated() {
            out += "  subgraph cluster_\(index) {\n    label=\(quoted(column.tier));\n"
            for place in column.nodes {
                let node = graph.nodes[place]
                out += "    n\(place) [label=\(quoted(label(node)))\(node.state == .online ? "" : ", style=dashed")];\n"
            }
            out += "  }\n"
        }
        for edge in graph.edges {
            out += "  n\(edge.source) -> n\(edge.target) [label=\(quoted(GraphFigures.short(edge)))"
            out += edge.isFailing ? ", style=bold, color=\"#b3261e\"];\n" : "];\n"
        }
        return out + "}\n"
    }

    /// For documents that draw Mermaid's diagrams.
    static func mermaid(_ graph: ClusterGraph) -> String {
        var out = "flowchart LR\n"
        for (index, column) in graph.columns.enumerated() {
            out += "  subgraph t\(index)[\"\(entities(column.tier))\"]\n"
            for place in column.nodes { out += "    n\(place)[\"\(entities(label(graph.nodes[place])))\"]\n" }
            out += "  end\n"
        }
        for edge in graph.edges {
            let text = GraphFigures.short(edge)
            out += "  n\(edge.source) -->" + (text.isEmpty ? "" : "|\"\(entities(text))\"|") + " n\(edge.target)\n"
        }
        return out
    }

    static func json(_ graph: ClusterGraph) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.member("nodes", list: graph.nodes) { json, node in
                json.object { json in
                    json.member("node_id", node.name)
                    json.member("tier", node.tier)
                    json.member("state", node.state?.rawValue ?? GraphFigures.withoutAgent)
                    json.member("why", node.why)
                }
            }
            json.member("edges", list: graph.edges) { json, edge in
                json.object { json in
                    json.member("source", graph.nodes[edge.source].name)
                    json.member("target", graph.nodes[edge.target].name)
                    json.member("requests_per_second", optional: edge.rates?.perSecond, number)
                    json.member("failed_share", optional: edge.rates?.failedShare, number)
                    json.member("latency_seconds", optional: edge.rates?.latencySeconds, number)
                }
            }
            json.member("edges_left_out", graph.edgesLeftOut)
        }
        json.raw(Array("\n".utf8))
        return json.bytes
    }

    /// Microseconds are the finest that counters of calls tell.
    private static func number(_ json: inout JSONWriter, _ value: Double) {
        let millionths = UInt64(min(max(0, value) * 1e6, 1e18))
        let fraction = String(millionths % 1_000_000 + 1_000_000).dropFirst()
        json.raw(Array("\(millionths / 1_000_000).\(fraction)".utf8))
    }

    private static func label(_ node: ClusterGraph.Node) -> String {
        "\(node.state?.sign ?? GraphFigures.withoutAgentSign) \(node.name)"
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"", "\\":
                out += "\\"
                out.unicodeScalars.append(character)
            case _ where character.properties.generalCategory == .control: out += " "
            default: out.unicodeScalars.append(character)
            }
        }
        return out + "\""
    }

    /// Mermaid's escapes: `#34;` and the like, for all that is not plain.
    private static func entities(_ text: String) -> String {
        var out = ""
        for character in text.unicodeScalars {
            let isPlain =
                character.properties.isAlphabetic || ("0"..."9").contains(character)
                || " -_.:/,%·".unicodeScalars.contains(character)
            if isPlain { out.unicodeScalars.append(character) } else { out += "#\(character.value);" }
        }
        return out
    }
}

/// How the rates of an edge are written.
enum GraphFigures {
    static let withoutAgent = "no-agent"
    static let withoutAgentSign = "○"

    /// `12 /s · 4 ms · 2 % failed`; empty without rates.
    static func short(_ edge: ClusterGraph.Edge) -> String {
        guard let rates = edge.rates else { return "" }
        var parts = ["\(significant(rates.perSecond)) /s"]
        if let latency = rates.latencySeconds { parts.append(time(latency)) }
        if rates.failedShare > 0 { parts.append("\(significant(rates.failedShare * 100)) % failed") }
        return parts.joined(separator: " · ")
    }

    static func time(_ seconds: Double) -> String {
        seconds < 1 ? "\(significant(seconds * 1000)) ms" : "\(significant(seconds)) s"
    }

    /// About two digits.
    private static func significant(_ value: Double) -> String {
        guard value.isFinite, value < 1e15 else { return "–" }
        if value >= 10 || value == 0 { return "\(Int(value.rounded()))" }
        let hundredths = Int((value * 100).rounded())
        if hundredths == 0 { return "<0.01" }
        if value >= 1 { return "\(hundredths / 100).\(hundredths % 100 / 10)" }
        return "0." + (hundredths < 10 ? "0" : "") + "\(hundredths)"
    }
}
