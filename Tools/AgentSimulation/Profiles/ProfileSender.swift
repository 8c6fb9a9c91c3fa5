// SPDX-License-Identifier: Apache-2.0

import FODCProtocol

/// An agent's side of its stream of pressure profiles: one command after the other, so that no list is answered while
/// a download runs. Messages are made one by one, each when the one before has been sent.
struct ProfileSender {
    enum Message {
        case whole(Banyandb_Fodc_V1_StreamPressureProfilesRequest)
        case chunk(ProfileChunkCursor)
    }

    private enum Work {
        case list(requestID: String, rest: ArraySlice<Banyandb_Fodc_V1_PressureProfileRecord>)
        case download(Banyandb_Fodc_V1_FetchPressureProfile, ProfileContent, offset: Int)
    }

    private let profiles: NodeProfiles
    private var commands: [Banyandb_Fodc_V1_StreamPressureProfilesResponse] = []
    private var work: Work?

    init(_ profiles: NodeProfiles) {
        self.profiles = profiles
    }

    /// A command without content is invalid.
    mutating func asked(_ command: Banyandb_Fodc_V1_StreamPressureProfilesResponse) {
        if command.command != nil { commands.append(command) }
    }

    /// The next message, and whether it ends the answer to a command; `nil` when all commands are answered.
    mutating func next() -> (message: Message, isEnd: Bool)? {
        if work == nil {
            guard !commands.isEmpty else { return nil }
            switch commands.removeFirst().command {
            case .listProfiles(let list)?:
                work = .list(requestID: list.requestID, rest: profiles.records[...])
            case .fetchProfile(let fetch)?:
                guard let content = profiles.content(profileID: fetch.profileID, type: fetch.type) else {
                    return (.whole(Self.failure(of: fetch)), true)
                }
                work = .download(fetch, content, offset: 0)
            case nil:
                return next()
            }
        }
        switch work {
        case .list(let requestID, var rest)?:
            var message = Banyandb_Fodc_V1_StreamPressureProfilesRequest()
            if let record = rest.popFirst() {
                message.record = record
                work = .list(requestID: requestID, rest: rest)
                return (.whole(message), false)
            }
            message.listComplete.requestID = requestID
            work = nil
            return (.whole(message), true)
        case .download(let fetch, let content, let offset)?:
            let cursor = ProfileChunkCursor(
                content, requestID: fetch.requestID, profileID: fetch.profileID, type: fetch.type, offset: offset)
            let end = offset + ProfileChunkCursor.maximumDataBytes
            let isEnd = end >= content.byteCount
            work = isEnd ? nil : .download(fetch, content, offset: end)
            return (.chunk(cursor), isEnd)
        case nil:
            return nil
        }
    }

    private static func failure(
        of fetch: Banyandb_Fodc_V1_FetchPressureProfile
    ) -> Banyandb_Fodc_V1_StreamPressureProfilesRequest {
        var message = Banyandb_Fodc_V1_StreamPressureProfilesRequest()
        message.chunk.requestID = fetch.requestID
        message.chunk.profileID = fetch.profileID
        message.chunk.type = fetch.type
        message.chunk.error =
            NodeProfiles.types.contains(fetch.type)
            ? "no profile '\(fetch.profileID)'" : "no profile of type '\(fetch.type)'"
        message.chunk.last = true
        return message
    }
}
