// SPDX-License-Identifier: Apache-2.0

/// A profile as a flame graph in SVG: the root on top, each call below its caller, as wide as its part of the whole. It has
/// no scripts and loads nothing: a browser shows a frame's name and value where the pointer rests.
///
/// Of a difference the widths are the capture's; red has grown since the base, blue has shrunk.
struct FlameGraphPicture {
    private static let width = 1200.0
    private static let rowHeight = 17
    private static let headHeight = 42
    private static let margin = 8.0
    /// Narrower frames are left out.
    private static let narrowestWidth = 0.3
    /// Of a monospace letter of the font's size.
    private static let letterWidth = 6.7
    /// Upper bound of the bytes of a frame without its name.
    private static let frameBytes = 320
    /// A letter as an entity.
    private static let longestLetterBytes = 6

    private struct Frame {
        var node: Int
        var depth: Int
        var left: Double
        var width: Double
    }

    private let view: ProfileView
    private var frames: [Frame] = []
    private var rows = 1

    init(_ view: ProfileView) {
        self.view = view
        layOut()
    }

    var text: [UInt8] {
        get throws(PprofError) {
            let bytes = frames.reduce(4096) {
                let name = view.tree.name(of: $1.node)
                return $0 + Self.frameBytes + 2 * Self.longestLetterBytes * name.utf8.count
            }
            try view.checkOutput(bytes, .svg)
            var out = head
            for frame in frames { append(frame, to: &out) }
            out += "</svg>\n"
            return Array(out.utf8)
        }
    }

    private mutating func layOut() {
        let tree = view.tree
        let whole = Double(max(tree.nodes[0].total.shown, 0))
        let scale = whole > 0 ? (Self.width - 2 * Self.margin) / whole : 0
        // Where the next child of each open node begins.
        var nextLeft = [Self.margin]
        tree.walk(
            enter: { node, depth in
                let width = Double(max(tree.nodes[node].total.shown, 0)) * scale
                let left = nextLeft[depth]
                nextLeft.append(left)
                guard node == 0 || width >= Self.narrowestWidth else { return false }
                frames.append(
                    Frame(node: node, depth: depth, left: left, width: node == 0 ? Self.width - 2 * Self.margin : width)
                )
                rows = max(rows, depth + 1)
                return true
            },
            leave: { node in
                nextLeft.removeLast()
                nextLeft[nextLeft.count - 1] += Double(max(tree.nodes[node].total.shown, 0)) * scale
            })
    }

    private var head: String {
        let height = Self.headHeight + rows * Self.rowHeight + Int(Self.margin)
        let size = "\(Int(Self.width))"
        let change =
            view.isDifference
            ? " (before \(view.measured(view.total.base)); red has grown, blue has shrunk)" : ""
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" width="\(size)" height="\(height)" viewBox="0 0 \(size) \(height)" \
            font-family="ui-monospace, monospace" font-size="11">
            <title>\(Self.escaped(view.title))</title>
            <rect width="100%" height="100%" fill="#ffffff"/>
            <text x="8" y="18" font-size="14" fill="#111111">\(Self.escaped(view.title))</text>
            <text x="8" y="34" fill="#444444">\(Self.escaped(view.sampleType.name)): \
            \(Self.escaped(view.measured(view.total.shown)))\(Self.escaped(change))</text>

            """
    }

    private func append(_ frame: Frame, to out: inout String) {
        let values = view.tree.nodes[frame.node].total
        let name = view.tree.name(of: frame.node)
        let top = Self.headHeight + frame.depth * Self.rowHeight
        var hint = "\(name): \(view.measured(values.shown)), \(Measurement.percent(values.shown, of: view.total.shown))"
        if view.isDifference { hint += ", \(values.difference > 0 ? "+" : "")\(view.measured(values.difference))" }
        out += "<g><title>\(Self.escaped(hint))</title>"
        out += "<rect x=\"\(Self.pixels(frame.left))\" y=\"\(top)\" width=\"\(Self.pixels(frame.width))\" "
        out += "height=\"\(Self.rowHeight - 1)\" rx=\"1\" fill=\"\(colour(frame.node, values))\"/>"
        let letters = Int((frame.width - 4) / Self.letterWidth)
        if letters >= 3 {
            let shown = name.count <= letters ? name : name.prefix(letters - 1) + "…"
            out += "<text x=\"\(Self.pixels(frame.left + 2))\" y=\"\(top + 12)\" fill=\"#111111\">"
            out += "\(Self.escaped(String(shown)))</text>"
        }
        out += "</g>\n"
    }

    /// Light, so that black letters are read on all of them.
    private func colour(_ node: Int, _ values: CallTree.Values) -> String {
        if view.isDifference {
            let whole = Double(max(view.total.shown.magnitude, view.total.base.magnitude, 1))
            // The square root, so that a change of a hundredth is seen.
            let strength = min(1, (Double(values.difference.magnitude) / whole).squareRoot())
            let fade = 235 - Int(strength * 125)
            return values.difference >= 0 ? Self.rgb(250, fade, fade) : Self.rgb(fade, fade, 250)
        }
        if node == 0 { return Self.rgb(225, 225, 225) }
        // By name: a function has one colour wherever it is called.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in view.tree.name(of: node).utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Self.rgb(245, 165 + Int(hash >> 8 & 63), 95 + Int(hash >> 20 & 63))
    }

    private static func rgb(_ red: Int, _ green: Int, _ blue: Int) -> String { "rgb(\(red),\(green),\(blue))" }

    /// With one digit behind the point.
    private static func pixels(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
