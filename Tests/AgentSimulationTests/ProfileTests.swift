// SPDX-License-Identifier: Apache-2.0

import FODCProtocol
import NIOCore
import Pprof
import SwiftProtobuf
import Testing

@testable import AgentSimulation

@Suite struct ProfileTests {
    private static let heapBytes = 2 * ProfileChunkCursor.maximumDataBytes + 12_345
    private static let profiles = NodeProfiles(podName: "pod-0", count: 2, heapBytes: heapBytes, seed: 7)

    private static func list(_ id: String) -> Banyandb_Fodc_V1_StreamPressureProfilesResponse {
        var command = Banyandb_Fodc_V1_StreamPressureProfilesResponse()
        command.listProfiles.requestID = id
        return command
    }

    private static func fetch(
        _ id: String, _ profile: String, _ type: String
    ) -> Banyandb_Fodc_V1_StreamPressureProfilesResponse {
        var command = Banyandb_Fodc_V1_StreamPressureProfilesResponse()
        command.fetchProfile.requestID = id
        command.fetchProfile.profileID = profile
        command.fetchProfile.type = type
        return command
    }

    private static func next(
        of sender: inout ProfileSender
    ) throws -> Banyandb_Fodc_V1_StreamPressureProfilesRequest? {
        guard let (message, _) = sender.next() else { return nil }
        switch message {
        case .whole(let message): return message
        case .chunk(var cursor):
            var bytes = ByteBuffer()
            while !cursor.isDone {
                let before = bytes.writerIndex
                cursor.append(to: &bytes, about: 10_000)
                #expect(bytes.writerIndex > before, "a piece without bytes would be asked for without end")
                guard bytes.writerIndex > before else { break }
            }
            #expect(bytes.readInteger(as: UInt8.self) == 0)
            #expect(bytes.readInteger(as: UInt32.self) == UInt32(bytes.readableBytes))
            return try .init(serializedBytes: Array(bytes.readableBytesView))
        }
    }

    /// The documented function of the blocks behind the profile, written another way: byte by byte.
    private static func documented(_ profile: String, _ type: String, seed: UInt64, blocks: Int) -> [UInt8] {
        func mix(_ input: UInt64) -> UInt64 {
            var z = input &+ 0x9E37_79B9_7F4A_7C15
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in "pod-0/\(profile)/\(type)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let key = mix(hash ^ mix(seed))
        let words = (0..<512).map { mix(key &+ UInt64($0) &* 0x9E37_79B9_7F4A_7C15) }
        let header: [UInt8] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 0xea, 0x0f]
        let tail: [UInt8] = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        return (0..<blocks).flatMap { block in
            header
                + (0..<4074).map { position in
                    let word = position < 8 ? UInt64(block) : words[position / 8]
                    return UInt8(truncatingIfNeeded: word >> UInt64(position % 8 * 8))
                } + tail
        }
    }

    @Test func profileSender_sendsTheDocumentedContent() throws {
        for type in NodeProfiles.types {
            let id = Self.profiles.records[1].profileID
            var sender = ProfileSender(Self.profiles)
            sender.asked(Self.fetch("r1", id, type))
            var content: [UInt8] = []
            var lasts: [Bool] = []
            while let message = try Self.next(of: &sender) {
                #expect(message.chunk.requestID == "r1" && message.chunk.profileID == id && message.chunk.type == type)
                #expect(message.chunk.error.isEmpty)
                #expect(message.chunk.data.count <= 1 << 20)
                content += message.chunk.data
                lasts.append(message.chunk.last)
            }
            let count = type == "heap" ? Self.heapBytes : NodeProfiles.goroutineProfileBytes
            #expect(lasts == lasts.indices.map { $0 == lasts.count - 1 })
            #expect(content.count == count)
            let blocks = type == "heap" ? 400 : 2
            // Compared outside of the expectation, which would look for the shortest difference between two MiB.
            let filling = content.suffix(blocks * ProfileContent.blockBytes)
            let first = Int(filling[filling.startIndex + 12]) | Int(filling[filling.startIndex + 13]) << 8
            let isRight =
                Array(filling)
                == Array(
                    Self.documented(id, type, seed: 7, blocks: first + blocks).suffix(
                        blocks * ProfileContent.blockBytes))
            #expect(isRight, "\(type)")
            let view = try ProfileView(
                .init(podName: "pod-0", profileID: id, kind: type), content, sampleType: nil,
                limits: PprofLimits(memoryBytes: 96 << 20))
            let top = String(decoding: try view.text(.top), as: UTF8.self)
            #expect(top.contains(type == "heap" ? "measure.(*tsTable).mergeLoop" : "runtime.gopark"), "\(top)")
        }
    }

    @Test(arguments: [0, 1, 7, 8, 9, 4096, 1 << 20, 1 << 20 + 1])
    func profileSender_marksTheLastChunkForEverySize(count: Int) throws {
        let profiles = NodeProfiles(podName: "pod-0", count: 1, heapBytes: count, seed: 7)
        var sender = ProfileSender(profiles)
        sender.asked(Self.fetch("r", profiles.records[0].profileID, "heap"))
        var sizes: [Int] = []
        var isLast = false
        while let message = try Self.next(of: &sender) {
            #expect(!isLast)
            sizes.append(message.chunk.data.count)
            isLast = message.chunk.last
        }
        #expect(isLast)
        #expect(sizes.reduce(0, +) == count)
        #expect(sizes.count == max(1, (count + (1 << 20) - 1) >> 20))
    }

    @Test func profileSender_sendsListsAfterDownloads() throws {
        let id = Self.profiles.records[0].profileID
        var sender = ProfileSender(Self.profiles)
        sender.asked(Self.fetch("download", id, "heap"))
        var order = [try #require(try Self.next(of: &sender)).chunk.requestID]
        sender.asked(Self.list("list"))
        sender.asked(Self.fetch("second", id, "goroutine"))
        while let message = try Self.next(of: &sender) {
            switch message.payload {
            case .record(let record): order.append(record.profileID)
            case .listComplete(let end): order.append(end.requestID)
            case .chunk(let chunk): order.append(chunk.requestID)
            case nil: order.append("nothing")
            }
        }
        let ids = Self.profiles.records.map(\.profileID)
        #expect(Set(ids).count == 2)
        #expect(order == ["download", "download", "download"] + ids + ["list", "second"])
    }

    @Test(arguments: [("no-such", "heap"), ("", "cpu")])
    func profileSender_answersUnknownProfilesWithOneError(profile: String, type: String) throws {
        var sender = ProfileSender(Self.profiles)
        let id = profile.isEmpty ? Self.profiles.records[0].profileID : profile
        sender.asked(Self.fetch("r", id, type))
        sender.asked(Banyandb_Fodc_V1_StreamPressureProfilesResponse())
        let message = try #require(try Self.next(of: &sender))
        #expect(message.chunk.requestID == "r" && message.chunk.last && !message.chunk.error.isEmpty)
        #expect(message.chunk.data.isEmpty)
        #expect(try Self.next(of: &sender) == nil)
    }

    @Test func profileSender_endsAnEmptyListAtOnce() throws {
        var sender = ProfileSender(NodeProfiles(podName: "pod-0", count: 0, heapBytes: 1, seed: 1))
        sender.asked(Self.list("l"))
        #expect(try Self.next(of: &sender)?.listComplete.requestID == "l")
        #expect(try Self.next(of: &sender) == nil)
    }
}
