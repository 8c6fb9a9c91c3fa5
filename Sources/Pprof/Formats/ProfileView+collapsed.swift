// SPDX-License-Identifier: Apache-2.0

extension ProfileView {
    /// `main;run;write 120`: a line for each stack that has a value of its own, the outermost call first. Of a difference
    /// each line has two numbers, the base's first, as difffolded.pl writes them.
    var collapsed: [UInt8] {
        get throws(PprofError) {
            let names = tree.frames.map { Self.collapsedName($0.name) }
            var pathBytes = [0]
            var byteCount = 0
            for node in tree.nodes.dropFirst() {
                pathBytes.append(pathBytes[Int(node.parent)] + names[Int(node.frame)].count + 1)
            }
            for (index, node) in tree.nodes.enumerated() where !node.own.isZero {
                byteCount += pathBytes[index] + 2 * Self.longestNumberBytes
            }
            try checkOutput(byteCount, .collapsed)
            var out: [UInt8] = []
            tree.walk(enter: { node, _ in
                let own = tree.nodes[node].own
                guard !own.isZero else { return true }
                for (depth, step) in tree.path(to: node).enumerated() {
                    if depth > 0 { out.append(UInt8(ascii: ";")) }
                    out += names[Int(tree.nodes[step].frame)]
                }
                // A sample without a stack.
                if node == 0 { out += tree.name(of: 0).utf8 }
                if isDifference { out += " \(own.base)".utf8 }
                out += " \(own.shown)\n".utf8
                return true
            })
            return out
        }
    }

    /// A blank, a sign and nineteen digits.
    private static let longestNumberBytes = 21

    /// Semicolons part frames, as shapes of generic Go functions do their fields.
    private static func collapsedName(_ name: String) -> [UInt8] {
        name.utf8.map { $0 == UInt8(ascii: ";") ? UInt8(ascii: ",") : $0 }
    }
}
