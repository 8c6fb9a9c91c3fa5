// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Metrics
import RingMessages

/// StreamPressureProfiles: lists of captures, each with an end that bears the request's id, and downloads of profiles in
/// chunks (``ProfileDownloads``).
extension StreamDescription {
    static let pressureProfiles = StreamDescription(
        .pressureProfiles,
        request: .identified { id in
            bytes(Banyandb_Fodc_V1_StreamPressureProfilesResponse.with { $0.listProfiles.requestID = id })
        },
        answer: .parts(limitBytes: profileListBytes), parsedInPlaceBytes: chunkParsedInPlaceBytes, part: profilePart
    ) { message in
        try ParsedMessage(Banyandb_Fodc_V1_StreamPressureProfilesRequest.self, message) { parsed in
            switch parsed.payload {
            case .record(let record): record.profileID.isEmpty ? .withoutKey(isLast: false) : .part(isLast: false)
            case .listComplete(let end): .end(requestID: end.requestID)
            case .chunk(let chunk): .chunk(chunk)
            case nil: .withoutKey(isLast: false)
            }
        }
    }

    /// Of one list: some 2,000 captures.
    private static let profileListBytes = 1 << 20
    /// A chunk of a profile is one field of a megabyte, which costs a copy.
    private static let chunkParsedInPlaceBytes = 2 * 1024 * 1024

    static func fetchRequest(id: String, _ command: FetchCommand) -> [UInt8] {
        bytes(
            Banyandb_Fodc_V1_StreamPressureProfilesResponse.with {
                $0.fetchProfile.requestID = id
                $0.fetchProfile.profileID = command.profileID
                $0.fetchProfile.type = command.type
                $0.fetchProfile.filepath = command.filepath
            })
    }

    /// One of: 1 a record, 2 the end of the list with its id in field 1, 3 a chunk. The last one counts.
    @Sendable private static func profilePart(_ message: RawSpan) -> AnswerPart {
        var reader = WireReader(position: 0, end: message.byteCount)
        var part = AnswerPart.part
        for _ in 0..<AnswerPart.maximumFields where !reader.isAtEnd {
            guard let tag = try? reader.tag(message) else { break }
            guard tag.type == .lengthDelimited, (1...3).contains(tag.field) else {
                guard (try? reader.skip(tag, message)) != nil else { break }
                continue
            }
            guard let body = try? reader.body(message) else { break }
            switch tag.field {
            case 1: part = .part
            case 2: part = .last(requestID: text(ofField: 1, in: body, of: message))
            default: part = .chunk
            }
        }
        return part
    }

    private static func text(ofField field: UInt64, in range: Range<Int>, of message: RawSpan) -> String? {
        var reader = WireReader(position: range.lowerBound, end: range.upperBound)
        var text: String?
        for _ in 0..<AnswerPart.maximumFields where !reader.isAtEnd {
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
