// SPDX-License-Identifier: Apache-2.0
/// The fields of a header block or of trailers, in their order, pseudo headers (`:method`) included.
public struct HTTP2Headers: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    public struct Field: Sendable, Hashable {
        /// In lower case, as HTTP/2 wants it.
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var fields: [Field] = []

    public init() {}

    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// The value of the first field of that name (which must be in lower case).
    public subscript(name: String) -> String? {
        fields.first { $0.name == name }?.value
    }

    public mutating func add(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: value))
    }

    public mutating func removeAll(where matches: (Field) -> Bool) {
        fields.removeAll(where: matches)
    }
}
