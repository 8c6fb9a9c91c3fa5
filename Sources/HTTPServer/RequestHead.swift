// SPDX-License-Identifier: Apache-2.0

/// A request head as it was sent: cut into its parts and checked for form, not yet for sense.
struct RequestHead: Equatable {
    var method: String
    var target: String

    /// 0 or 1. A higher minor version is taken as 1, as RFC 9110 section 2.5 asks.
    var minorVersion: Int

    var fields: HTTPFields
}

/// Header fields in the order of their arrival; names in lower case.
public struct HTTPFields: Sendable, Equatable {
    private(set) var names: [String] = []
    private(set) var values: [String] = []

    public init() {}

    /// How many field lines there are.
    public var count: Int { names.count }

    /// Adds a field line. The name is kept in lower case, as field names are compared without case.
    public mutating func append(name: String, value: String) {
        names.append(name.lowercased())
        values.append(value)
    }

    /// All values of a name, joined as RFC 9110 section 5.3 says; nil without any. `lowercaseName` must be lower case.
    public func joined(_ lowercaseName: String) -> String? {
        var result: String?
        for index in names.indices where names[index] == lowercaseName {
            result = result.map { $0 + ", " + values[index] } ?? values[index]
        }
        return result
    }

    /// How often a name appears. `lowercaseName` must be lower case.
    func count(of lowercaseName: String) -> Int {
        names.count { $0 == lowercaseName }
    }
}
