// SPDX-License-Identifier: Apache-2.0

/// A piece of a YAML document with its place, for errors.
public struct YAMLNode: Equatable, Sendable {
    public indirect enum Content: Equatable, Sendable {
        /// `isPlain`: without quotes, so that it may also be a number, a truth value or nothing.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// In the document's order; each key once.
        case mapping([Entry])
    }

    public struct Entry: Equatable, Sendable {
        public let key: String
        public let value: YAMLNode
    }

    public let content: Content
    /// From 1.
    public let line: Int

    /// How many nodes there are in it, itself included.
    var count: Int {
        switch content {
        case .scalar: 1
        case .sequence(let items): items.reduce(1) { $0 + $1.count }
        case .mapping(let entries): entries.reduce(1) { $0 + 1 + $1.value.count }
        }
    }
}

/// A fault of a document, and its place.
public struct YAMLError: Error, Equatable, Sendable, CustomStringConvertible {
    /// From 1.
    public let line: Int
    public let message: String

    public init(line: Int, _ message: String) {
        self.line = line
        self.message = message
    }

    public var description: String { "line \(line): \(message)" }
}
