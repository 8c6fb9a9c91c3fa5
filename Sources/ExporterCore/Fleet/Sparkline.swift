// SPDX-License-Identifier: Apache-2.0

/// A small chart without axes. It begins at 0, so that small changes look small; gaps stay gaps.
enum Sparkline {
    static let width = FleetHistory.pointCount
    static let height = 18

    static func svg(_ values: [Float]) -> Markup {
        var markup = Markup()
        let most = values.lazy.filter { !$0.isNaN }.max() ?? 0
        markup.element(
            "svg",
            [
                "class": "sparkline", "viewBox": "0 0 \(width) \(height)", "width": "\(width)", "height": "\(height)",
                "aria-hidden": "true",
            ]
        ) { markup in
            for run in runs(values) {
                let points = run.map { index in
                    let share = most > 0 ? values[index] / most : 0
                    return "\(width - values.count + index),\(tenths(Float(height - 1) - share * Float(height - 2)))"
                }
                markup.element("polyline", ["points": points.joined(separator: " ")])
            }
        }
        return markup
    }

    /// Ranges of points that follow each other without a gap; one alone is drawn as a line of its own length.
    private static func runs(_ values: [Float]) -> [[Int]] {
        var runs: [[Int]] = []
        var run: [Int] = []
        for index in values.indices {
            if values[index].isNaN {
                if !run.isEmpty { runs.append(run) }
                run = []
            } else {
                run.append(index)
            }
        }
        if !run.isEmpty { runs.append(run) }
        return runs
    }

    private static func tenths(_ value: Float) -> String {
        let whole = Int((value * 10).rounded())
        return "\(whole / 10).\(whole % 10)"
    }
}
