// SPDX-License-Identifier: Apache-2.0

/// One label of a family and the values that it takes.
struct LabelAxis: Sendable {
    let name: String
    private let values: [String]
    private let prefix: String?

    /// A label with these values and no others.
    init(_ name: String, _ values: [String]) {
        self.name = name
        self.values = values
        prefix = nil
    }

    /// A label that takes as many values as series are wanted: `prefix` and a number.
    init(_ name: String, open prefix: String) {
        self.name = name
        values = []
        self.prefix = prefix
    }

    /// `nil`: without end.
    var count: Int? {
        prefix == nil ? values.count : nil
    }

    func value(_ index: Int) -> String {
        prefix.map { "\($0)\(index)" } ?? values[index]
    }
}
