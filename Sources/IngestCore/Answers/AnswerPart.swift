// SPDX-License-Identifier: Apache-2.0
import Exchange
import Metrics

/// What a message that is not parsed would have been, by the fields at its top: so that an answer that is dropped is not
/// owed any more.
enum AnswerPart: Equatable {
    /// The whole answer to a request.
    case whole
    /// A part of an answer in several messages.
    case part
    /// The end of such an answer; with the id of the list that it ends, if it has one.
    case last(listID: String?)
    /// A piece of a download.
    case chunk
    /// A crash record, which answers nothing by itself.
    case record

    /// Fields that are looked at. Messages of agents have two at most where it matters.
    private static let maximumFields = 64

    init(_ message: RawSpan, of stream: AgentStream) {
        switch stream {
        case .topology, .lifecycle, .configuration, .registration, .metrics: self = .whole
        case .crashDiagnostics: self = .record
        case .schemaRegistry: self = Self.registryPart(message)
        case .pressureProfiles: self = Self.profilePart(message)
        }
    }

    /// Field 2 is `done`.
    private static func registryPart(_ message: RawSpan) -> AnswerPart {
        var reader = WireReader(position: 0, end: message.byteCount)
        var isDone = false
        for _ in 0..<maximumFields where !reader.isAtEnd {
            guard let tag = try? reader.tag(message) else { break }
            if tag.field == 2, tag.type == .varint {
                guard let value = try? reader.varint(message) else { break }
                isDone = value != 0
            } else if (try? reader.skip(tag, message)) == nil {
                break
            }
        }
        return isDone ? .last(listID: nil) : .part
    }

    /// One of: 1 a record, 2 the end of the list with its id in field 1, 3 a chunk. The last one counts.
    private static func profilePart(_ message: RawSpan) -> AnswerPart {
        var reader = WireReader(position: 0, end: message.byteCount)
        var part = AnswerPart.part
        for _ in 0..<maximumFields where !reader.isAtEnd {
            guard let tag = try? reader.tag(message) else { break }
            guard tag.type == .lengthDelimited, (1...3).contains(tag.field) else {
                guard (try? reader.skip(tag, message)) != nil else { break }
                continue
            }
            guard let body = try? reader.body(message) else { break }
            switch tag.field {
            case 1: part = .part
            case 2: part = .last(listID: text(ofField: 1, in: body, of: message))
            default: part = .chunk
            }
        }
        return part
    }

    private static func text(ofField field: UInt64, in range: Range<Int>, of message: RawSpan) -> String? {
        var reader = WireReader(position: range.lowerBound, end: range.upperBound)
        var text: String?
        for _ in 0..<maximumFields where !reader.isAtEnd {
            guard let tag = try? reader.tag(message) else { break }
            if tag.field == field, tag.type == .lengthDelimited {
                guard let body = try? reader.body(message) else { break }
                text = String(decoding: message.extracting(body).copiedBytes, as: UTF8.self)
            } else if (try? reader.skip(tag, message)) == nil {
                break
            }
        }
        return text
    }
}
