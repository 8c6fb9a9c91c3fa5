// SPDX-License-Identifier: Apache-2.0
import CYAML

/// Reads one YAML 1.1 document into nodes by libyaml.
///
/// The one place that touches libyaml and its pointers: the parser is allocated and freed in ``parse(_:)``, the input outlives it,
/// and each event is copied and deleted before the next one is asked for.
public enum YAMLDocument {
    /// Configuration is three or four levels deep.
    static let limitDepth = 16
    /// Nodes that a document may come to. Aliases count as often as they are used, so that ten lines cannot become a billion nodes.
    static let limitNodes = 20_000

    /// The document; nil when the text has only blanks and comments.
    public static func parse(_ bytes: [UInt8]) throws(YAMLError) -> YAMLNode? {
        try bytes.withUnsafeBufferPointer { (input) throws(YAMLError) -> YAMLNode? in
            let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
            defer { parser.deallocate() }
            guard yaml_parser_initialize(parser) == 1 else { throw YAMLError(line: 1, "there is no memory to read it") }
            defer { yaml_parser_delete(parser) }
            yaml_parser_set_input_string(parser, input.baseAddress, input.count)
            // Otherwise bytes at the beginning choose another encoding.
            yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
            var reader = DocumentReader(parser: parser)
            return try reader.document()
        }
    }
}

private struct DocumentReader {
    /// An event of libyaml, copied.
    struct Event {
        enum Kind {
            case streamStart, streamEnd, documentStart, documentEnd
            case alias(String)
            case scalar(String, isPlain: Bool)
            case sequenceStart, sequenceEnd, mappingStart, mappingEnd
        }

        var kind: Kind
        var anchor: String?
        var line: Int
    }

    let parser: UnsafeMutablePointer<yaml_parser_t>
    private var anchors: [String: YAMLNode] = [:]
    private var nodeCount = 0

    init(parser: UnsafeMutablePointer<yaml_parser_t>) {
        self.parser = parser
    }

    mutating func document() throws(YAMLError) -> YAMLNode? {
        _ = try next()
        guard case .documentStart = try next().kind else { return nil }
        let root = try node(try next(), depth: 0)
        _ = try next()
        let after = try next()
        guard case .streamEnd = after.kind else { throw YAMLError(line: after.line, "a second document begins here") }
        return root
    }

    private mutating func node(_ event: Event, depth: Int) throws(YAMLError) -> YAMLNode {
        guard depth < YAMLDocument.limitDepth else {
            throw YAMLError(line: event.line, "more than \(YAMLDocument.limitDepth) levels")
        }
        let node: YAMLNode
        switch event.kind {
        case .alias(let name):
            guard let known = anchors[name] else {
                throw YAMLError(line: event.line, "the anchor &\(name) is not defined")
            }
            try count(known.count, line: event.line)
            return known
        case .scalar(let text, let isPlain):
            node = YAMLNode(content: .scalar(text, isPlain: isPlain), line: event.line)
        case .sequenceStart:
            node = YAMLNode(content: .sequence(try items(depth: depth)), line: event.line)
        case .mappingStart:
            node = YAMLNode(content: .mapping(try entries(depth: depth)), line: event.line)
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
            throw YAMLError(line: event.line, "a value is missing")
        }
        try count(1, line: event.line)
        if let anchor = event.anchor { anchors[anchor] = node }
        return node
    }

    private mutating func items(depth: Int) throws(YAMLError) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let event = try next()
            if case .sequenceEnd = event.kind { return items }
            items.append(try node(event, depth: depth + 1))
        }
    }

    private mutating func entries(depth: Int) throws(YAMLError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var keys: Set<String> = []
        while true {
            let event = try next()
            if case .mappingEnd = event.kind { return entries }
            guard case .scalar(let key, _) = event.kind else { throw YAMLError(line: event.line, "a key is no text") }
            guard keys.insert(key).inserted else { throw YAMLError(line: event.line, "\(key) is there twice") }
            try count(1, line: event.line)
            entries.append(YAMLNode.Entry(key: key, value: try node(try next(), depth: depth + 1)))
        }
    }

    private mutating func count(_ nodes: Int, line: Int) throws(YAMLError) {
        nodeCount += nodes
        guard nodeCount <= YAMLDocument.limitNodes else {
            throw YAMLError(line: line, "more than \(YAMLDocument.limitNodes) values")
        }
    }

    private func next() throws(YAMLError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else {
            let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
            let context = parser.pointee.context.map { " (\(String(cString: $0)))" } ?? ""
            throw YAMLError(line: Int(parser.pointee.problem_mark.line) + 1, problem + context)
        }
        defer { yaml_event_delete(&event) }
        return try Self.copy(event)
    }

    private static func copy(_ event: yaml_event_t) throws(YAMLError) -> Event {
        let line = Int(event.start_mark.line) + 1
        func made(_ kind: Event.Kind, anchor: UnsafeMutablePointer<yaml_char_t>? = nil) -> Event {
            Event(kind: kind, anchor: anchor.map(text), line: line)
        }
        switch event.type {
        case YAML_STREAM_START_EVENT: return made(.streamStart)
        case YAML_DOCUMENT_START_EVENT: return made(.documentStart)
        case YAML_DOCUMENT_END_EVENT: return made(.documentEnd)
        case YAML_ALIAS_EVENT: return made(.alias(event.data.alias.anchor.map(text) ?? ""))
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nil
            try checkTag(scalar.tag, line: line)
            // libyaml has checked that it is UTF-8.
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return made(.scalar(String(decoding: bytes, as: UTF8.self), isPlain: isPlain), anchor: scalar.anchor)
        case YAML_SEQUENCE_START_EVENT:
            try checkTag(event.data.sequence_start.tag, line: line)
            return made(.sequenceStart, anchor: event.data.sequence_start.anchor)
        case YAML_SEQUENCE_END_EVENT: return made(.sequenceEnd)
        case YAML_MAPPING_START_EVENT:
            try checkTag(event.data.mapping_start.tag, line: line)
            return made(.mappingStart, anchor: event.data.mapping_start.anchor)
        case YAML_MAPPING_END_EVENT: return made(.mappingEnd)
        default: return made(.streamEnd)
        }
    }

    /// A tag may change what a value means; the only one that is understood says that it is text.
    private static func checkTag(_ tag: UnsafeMutablePointer<yaml_char_t>?, line: Int) throws(YAMLError) {
        guard let tag = tag.map(text) else { return }
        guard ["!", "tag:yaml.org,2002:str"].contains(tag) else {
            throw YAMLError(line: line, "the tag \(tag) is not understood; leave it out")
        }
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>) -> String { String(cString: pointer) }
}
