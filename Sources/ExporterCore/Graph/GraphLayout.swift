// SPDX-License-Identifier: Apache-2.0

/// Where the nodes of a graph stand: a column for each tier, and in a column with many nodes small boxes in several rows.
struct GraphLayout {
    struct Box {
        var x: Int
        var y: Int
        var width: Int
        var height: Int
        /// The box is too small for the node's name.
        var isSmall: Bool

        var middle: Int { y + height / 2 }
        var right: Int { x + width }
    }

    struct Column {
        var tier: String
        var count: Int
        var x: Int
        var width: Int
    }

    private static let margin = 16
    private static let headHeight = 44
    /// More nodes of a tier are drawn as small boxes.
    private static let largestNamedColumn = 24
    private static let named = (width: 208, height: 30, gap: 20)
    private static let small = (width: 20, height: 20, gap: 6)
    private static let smallPerRow = 8
    /// Room for the edges and what is written at them.
    private static let columnGap = 150

    private(set) var boxes: [Box] = []
    private(set) var columns: [Column] = []
    private(set) var width = 0
    private(set) var height = 0

    init(_ graph: ClusterGraph) {
        var x = Self.margin
        var bottom = Self.headHeight
        var columnEnds: [(nodes: Range<Int>, bottom: Int)] = []
        for column in graph.columns {
            let isSmall = column.nodes.count > Self.largestNamedColumn
            let size = isSmall ? Self.small : Self.named
            // Tall rather than broad, but never taller than broad pages can show.
            let perRow = isSmall ? max(Self.smallPerRow, Self.root(of: column.nodes.count)) : 1
            for (number, _) in column.nodes.enumerated() {
                boxes.append(
                    Box(
                        x: x + number % perRow * (size.width + size.gap),
                        y: Self.headHeight + number / perRow * (size.height + size.gap), width: size.width,
                        height: size.height, isSmall: isSmall))
            }
            let width = perRow * (size.width + size.gap) - size.gap
            columns.append(Column(tier: column.tier, count: column.nodes.count, x: x, width: width))
            let end = (boxes.last.map { $0.y + $0.height } ?? bottom)
            columnEnds.append((column.nodes, end))
            bottom = max(bottom, end)
            x += width + Self.columnGap
        }
        // Short columns stand in the middle.
        for column in columnEnds {
            for place in column.nodes { boxes[place].y += (bottom - column.bottom) / 2 }
        }
        width = max(320, x - Self.columnGap + Self.margin)
        height = bottom + Self.margin
    }

    private static func root(of count: Int) -> Int { Int(Double(count).squareRoot().rounded(.up)) }
}
