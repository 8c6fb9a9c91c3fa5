// SPDX-License-Identifier: Apache-2.0

/// A node with the name by which its author finds it: `tls_server_config.min_version`. Its value is read as what it should be; an
/// error says the name, what is there and what should be.
public struct YAMLField: Sendable {
    public let name: String
    public let node: YAMLNode

    public init(name: String, node: YAMLNode) {
        self.name = name
        self.node = node
    }

    public func error(_ message: String) -> YAMLError {
        YAMLError(line: node.line, name.isEmpty ? message : "\(name): \(message)")
    }

    /// `key:` with nothing behind it, `~` or `null`: as if it were not there.
    public var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = node.content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    public func string() throws(YAMLError) -> String {
        guard case .scalar(let text, _) = node.content else { throw error("must be a text") }
        return isNull ? "" : text
    }

    public func bool() throws(YAMLError) -> Bool {
        if case .scalar(let text, isPlain: true) = node.content {
            switch text {
            case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return true
            case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": return false
            default: break
            }
        }
        throw error("must be true or false, without quotes")
    }

    public func integer(_ range: ClosedRange<Int>) throws(YAMLError) -> Int {
        guard case .scalar(let text, isPlain: true) = node.content, let number = Int(text), range.contains(number)
        else {
            throw error("must be a whole number from \(range.lowerBound) to \(range.upperBound), without quotes")
        }
        return number
    }

    /// The items of a list, which are called `name[0]`, `name[1]`, …
    public func list() throws(YAMLError) -> [YAMLField] {
        guard case .sequence(let items) = node.content else { throw error("must be a list") }
        return items.enumerated().map { YAMLField(name: "\(name)[\($0.offset)]", node: $0.element) }
    }

    /// The fields of a mapping, in their order.
    public func entries() throws(YAMLError) -> [(key: String, field: YAMLField)] {
        guard case .mapping(let entries) = node.content else { throw error("must be a mapping (KEY: VALUE)") }
        return entries.map { ($0.key, YAMLField(name: name.isEmpty ? $0.key : "\(name).\($0.key)", node: $0.value)) }
    }

    /// The fields of a mapping by their keys. A key that is not among those known is an error; one without a value is as good as
    /// not there.
    public func fields(_ known: [String]) throws(YAMLError) -> [String: YAMLField] {
        var fields: [String: YAMLField] = [:]
        for (key, field) in try entries() {
            guard known.contains(key) else {
                throw field.error("is not known here; there are \(known.joined(separator: ", "))")
            }
            if !field.isNull { fields[key] = field }
        }
        return fields
    }
}
