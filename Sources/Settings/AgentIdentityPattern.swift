// SPDX-License-Identifier: Apache-2.0

/// Which certificate may register which pod (`--grpc-agent-identity`): `spiffe://cluster.local/ns/*/sa/banyandb`,
/// `dns:{pod_name}.banyandb-headless.*`.
///
/// `{pod_name}` stands for the pod name of the registration, `*` for one or more characters: in a DNS name within a label, or
/// at the end for all the labels that follow; in a URI without `/`. DNS names are the same in capitals.
public struct AgentIdentityPattern: Equatable, Sendable, CustomStringConvertible {
    /// The kinds of a certificate's subject alternative names.
    public enum Kind: String, CaseIterable, Sendable {
        case dns, uri, email, ip
    }

    private enum Part: Equatable {
        case text([UInt8])
        case podName
        case anything(crossesLabels: Bool)
    }

    /// Each registration is held against it; real ones have some 60 bytes.
    public static let limitBytes = 1024
    private static let podName = "{pod_name}"

    public let kind: Kind
    private let parts: [Part]
    /// As it was given.
    public let description: String

    /// `nil` if the kind of name is not told, or a part in braces is not `{pod_name}`.
    public init?(_ text: String) {
        guard text.utf8.count <= Self.limitBytes, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let prefixed = Kind.allCases.first { text.hasPrefix($0.rawValue + ":") }
        guard let kind = prefixed ?? (text.contains("://") ? .uri : nil) else { return nil }
        var rest = prefixed == nil ? Substring(text) : text.dropFirst(kind.rawValue.utf8.count + 1)
        guard !rest.isEmpty else { return nil }
        var parts: [Part] = []
        while let first = rest.first {
            if rest.hasPrefix(Self.podName) {
                parts.append(.podName)
                rest = rest.dropFirst(Self.podName.utf8.count)
            } else if first == "*" {
                rest = rest.dropFirst()
                parts.append(.anything(crossesLabels: kind == .dns && rest.isEmpty))
            } else {
                let literal = rest.prefix { $0 != "*" && $0 != "{" && $0 != "}" }
                guard !literal.isEmpty else { return nil }
                parts.append(.text(Self.bytes(String(literal), kind)))
                rest = rest.dropFirst(literal.count)
            }
        }
        self.kind = kind
        self.parts = parts
        description = text
    }

    /// Whether a certificate with this name may register this pod.
    public func matches(_ name: String, kind: Kind, podName: String) -> Bool {
        guard kind == self.kind else { return false }
        let name = Self.bytes(name, kind)
        // The places in the name that what has been matched so far may end at. One pass over the name a part, whatever the name.
        var ends = [Bool](repeating: false, count: name.count + 1)
        ends[0] = true
        for part in parts {
            switch part {
            case .text(let text): ends = Self.after(text, in: name, from: ends)
            case .podName: ends = Self.after(Self.bytes(podName, kind), in: name, from: ends)
            case .anything(let crossesLabels): ends = afterAnything(in: name, from: ends, crossesLabels)
            }
        }
        return ends[name.count]
    }

    private static func after(_ text: [UInt8], in name: [UInt8], from ends: [Bool]) -> [Bool] {
        var result = [Bool](repeating: false, count: ends.count)
        guard text.count <= name.count else { return result }
        for start in 0...(name.count - text.count) where ends[start] {
            if name[start..<(start + text.count)].elementsEqual(text) { result[start + text.count] = true }
        }
        return result
    }

    private func afterAnything(in name: [UInt8], from ends: [Bool], _ crossesLabels: Bool) -> [Bool] {
        let separator: UInt8? =
            switch kind {
            case .dns: crossesLabels ? nil : UInt8(ascii: ".")
            case .uri: UInt8(ascii: "/")
            case .email, .ip: nil
            }
        var result = [Bool](repeating: false, count: ends.count)
        var isInside = false
        for (place, byte) in name.enumerated() {
            isInside = (isInside || ends[place]) && byte != separator
            result[place + 1] = isInside
        }
        return result
    }

    private static func bytes(_ text: String, _ kind: Kind) -> [UInt8] {
        guard kind == .dns else { return Array(text.utf8) }
        return text.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }
}
