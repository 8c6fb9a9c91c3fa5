// SPDX-License-Identifier: Apache-2.0

/// The graph as a picture that stands alone. Colours are attributes, which a page's style sheet overrides; a state has a sign
/// too, and a failing edge is dashed.
struct GraphSVG {
    /// With more edges than that figures are shown for the one that is pointed at alone.
    private static let mostLabelledEdges = 40
    private static let nameCharacters = 25

    private let graph: ClusterGraph
    private let layout: GraphLayout

    private init(_ graph: ClusterGraph) {
        self.graph = graph
        layout = GraphLayout(graph)
    }

    static func text(_ graph: ClusterGraph) -> String {
        var markup = Markup()
        GraphSVG(graph).append(to: &markup)
        return markup.source + "\n"
    }

    private func append(to markup: inout Markup) {
        let failing = graph.nodes.count { $0.state != .online && $0.state != nil }
        markup.element(
            "svg",
            [
                "xmlns": "http://www.w3.org/2000/svg", "viewBox": "0 0 \(layout.width) \(layout.height)",
                "width": "\(layout.width)", "height": "\(layout.height)", "role": "group",
                "aria-label": "\(graph.nodes.count) nodes, \(failing) of them failing, \(graph.edges.count) calls",
                "font-family": "system-ui, sans-serif", "font-size": "13", "class": "graph",
            ]
        ) { markup in
            markup.element("rect", ["class": "back", "width": "100%", "height": "100%", "fill": "#ffffff"])
            arrows(&markup)
            for column in layout.columns { head(column, &markup) }
            for edge in graph.edges { self.edge(edge, &markup) }
            for place in graph.nodes.indices { node(place, &markup) }
            labels(&markup)
        }
    }

    private func arrows(_ markup: inout Markup) {
        markup.element("defs") { markup in
            for (id, color) in [("arrow", "#6b7688"), ("arrow-failing", "#b3261e")] {
                markup.element(
                    "marker",
                    [
                        "id": id, "viewBox": "0 0 8 8", "refX": "7", "refY": "4", "markerWidth": "8",
                        "markerHeight": "8", "markerUnits": "userSpaceOnUse", "orient": "auto",
                    ]
                ) { $0.element("path", ["d": "M0 0L8 4L0 8z", "fill": color, "class": id]) }
            }
        }
    }

    private func head(_ column: GraphLayout.Column, _ markup: inout Markup) {
        markup.element(
            "text", ["x": "\(column.x)", "y": "26", "font-weight": "600", "fill": "#1d2330", "class": "tier"],
            "\(column.tier) · \(column.count)")
    }

    private func node(_ place: Int, _ markup: inout Markup) {
        let (node, box) = (graph.nodes[place], layout.boxes[place])
        let state = node.state?.rawValue ?? GraphFigures.withoutAgent
        let colors = Self.colors(node.state)
        let sign = node.state?.sign ?? GraphFigures.withoutAgentSign
        markup.element(
            "a", ["href": "../ui/node?pod_name=\(Markup.percentEncoded(node.name))", "class": "node state-\(state)"]
        ) { markup in
            markup.element("title", "\(node.name), \(state)" + (node.why.isEmpty ? "" : ": \(node.why)"))
            markup.element(
                "rect",
                [
                    "x": "\(box.x)", "y": "\(box.y)", "width": "\(box.width)", "height": "\(box.height)", "rx": "5",
                    "fill": colors.fill, "stroke": colors.line, "stroke-width": node.state == .online ? "1" : "2",
                    "stroke-dasharray": node.state == .gone || node.state == nil ? "4 3" : "none",
                ])
            markup.element(
                "text",
                [
                    "x": "\(box.isSmall ? box.x + box.width / 2 : box.x + 9)", "y": "\(box.middle + 5)",
                    "fill": colors.line, "class": "sign", "text-anchor": box.isSmall ? "middle" : "start",
                ], sign)
            if !box.isSmall {
                markup.element(
                    "text", ["x": "\(box.x + 27)", "y": "\(box.middle + 5)", "fill": "#1d2330"], Self.cut(node.name))
            }
        }
    }

    private func edge(_ edge: ClusterGraph.Edge, _ markup: inout Markup) {
        let (source, target) = (graph.nodes[edge.source].name, graph.nodes[edge.target].name)
        let figures = GraphFigures.short(edge)
        markup.element("g", ["class": edge.isFailing ? "edge failing" : "edge"]) { markup in
            markup.element("title", "\(source) → \(target)" + (figures.isEmpty ? "" : ": \(figures)"))
            markup.element(
                "path",
                [
                    "d": Curve(layout.boxes[edge.source], layout.boxes[edge.target]).path, "fill": "none",
                    "stroke": edge.isFailing ? "#b3261e" : "#6b7688", "stroke-width": Self.strokeWidth(edge),
                    "stroke-dasharray": edge.isFailing ? "6 3" : "none",
                    "marker-end": "url(#\(edge.isFailing ? "arrow-failing" : "arrow"))",
                ])
        }
    }

    /// Figures at the edges, each at the first place on its curve where it covers no node and no other figures. Where none is
    /// free they are left to the edge's title.
    private func labels(_ markup: inout Markup) {
        var taken = GraphLabels(layout.boxes)
        for (number, edge) in graph.edges.enumerated()
        where graph.edges.count <= Self.mostLabelledEdges || edge.isFailing && number < 20 {
            let figures = GraphFigures.short(edge)
            let curve = Curve(layout.boxes[edge.source], layout.boxes[edge.target])
            guard !figures.isEmpty, let place = taken.place(figures, on: curve) else { continue }
            markup.element("g", ["class": edge.isFailing ? "edge failing" : "edge"]) { markup in
                markup.element(
                    "text",
                    [
                        "x": "\(place.x)", "y": "\(place.y)", "text-anchor": "middle", "font-size": "11",
                        "fill": edge.isFailing ? "#b3261e" : "#4a5468", "paint-order": "stroke", "stroke": "#ffffff",
                        "stroke-width": "3", "class": "figures",
                    ], figures)
            }
        }
    }

    /// 1 to 4, by the logarithm of the rate.
    private static func strokeWidth(_ edge: ClusterGraph.Edge) -> String {
        guard var rate = edge.rates?.perSecond else { return "1" }
        var width = 1
        while rate >= 10, width < 4 {
            rate /= 10
            width += 1
        }
        return "\(width)"
    }

    private static func colors(_ state: NodeState?) -> (fill: String, line: String) {
        switch state {
        case .online: ("#eef7f0", "#1a6b34")
        case .silent: ("#fff4dc", "#8a5300")
        case .unconnected: ("#fdebdc", "#9a3d00")
        case .gone: ("#fdeceb", "#b3261e")
        case nil: ("#f1f3f6", "#566073")
        }
    }

    private static func cut(_ name: String) -> String {
        name.count <= nameCharacters ? name : "…" + name.suffix(nameCharacters - 1)
    }
}
