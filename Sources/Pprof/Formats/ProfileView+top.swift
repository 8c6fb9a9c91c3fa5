// SPDX-License-Identifier: Apache-2.0

extension ProfileView {
    /// A function's part in the profile.
    struct FunctionRow: Equatable {
        var name: String
        /// Of samples that end in it.
        var flat: Int64
        /// Of samples that come by it, each counted once however often it calls itself.
        var cumulative: Int64
    }

    /// The columns of `go tool pprof -top`: flat, its part, the sum of the parts so far, cumulative, its part, name. Of a
    /// difference the values are those of the capture less those of its base, and the parts are of the base.
    var top: [UInt8] {
        get throws(PprofError) {
            let rows = functionRows
            try checkOutput(rows.reduce(0) { $0 + $1.name.utf8.count + Self.rowBytes } + title.utf8.count, .top)
            let whole = isDifference ? total.base : total.shown
            var out = ""
            out += "Profile: \(title)\n"
            out += "Type: \(sampleType.name)\n"
            let change = isDifference ? " (now \(measured(total.shown)), before \(measured(total.base)))" : ""
            out += "Total: \(measured(value(total)))\(change)\n"
            out += "      flat   flat%    sum%        cum    cum%\n"
            var sum: Int64 = 0
            for row in rows {
                sum = sum.addingReportingOverflow(row.flat).partialValue
                out += "\(padded(measured(row.flat), 10)) \(padded(Measurement.percent(row.flat, of: whole), 7)) "
                out += "\(padded(Measurement.percent(sum, of: whole), 7)) \(padded(measured(row.cumulative), 10)) "
                out += "\(padded(Measurement.percent(row.cumulative, of: whole), 7))  \(row.name)\n"
            }
            return Array(out.utf8)
        }
    }

    /// The largest flat value first.
    var functionRows: [FunctionRow] {
        var rows = tree.frames.map { FunctionRow(name: $0.name, flat: 0, cumulative: 0) }
        // How many calls of each function are open on the way to the node.
        var open = [Int](repeating: 0, count: rows.count)
        tree.walk(
            enter: { node, _ in
                guard node > 0 else { return true }
                let (place, frame) = (tree.nodes[node], Int(tree.nodes[node].frame))
                rows[frame].flat = Self.sum(rows[frame].flat, value(place.own))
                if open[frame] == 0 { rows[frame].cumulative = Self.sum(rows[frame].cumulative, value(place.total)) }
                open[frame] += 1
                return true
            },
            leave: { node in
                if node > 0 { open[Int(tree.nodes[node].frame)] -= 1 }
            })
        return rows.filter { $0.flat != 0 || $0.cumulative != 0 }.sorted {
            let (one, other) = (
                ($0.flat.magnitude, $0.cumulative.magnitude), ($1.flat.magnitude, $1.cumulative.magnitude)
            )
            return one == other ? $0.name < $1.name : one > other
        }
    }

    /// The value that counts: the capture's, or its distance from the base.
    func value(_ values: CallTree.Values) -> Int64 { isDifference ? values.difference : values.shown }

    func measured(_ value: Int64) -> String { Measurement.text(value, unit: sampleType.unit) }

    private func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.utf8.count)) + text
    }

    private static func sum(_ one: Int64, _ other: Int64) -> Int64 {
        let (sum, isBeyond) = one.addingReportingOverflow(other)
        return isBeyond ? (other < 0 ? .min : .max) : sum
    }

    /// The columns in front of a name.
    private static let rowBytes = 80
}
