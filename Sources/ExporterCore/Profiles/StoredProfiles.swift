// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import HTTPServer
import Platform

/// Profiles that the black box has: of pods that are gone, and of agents that cannot answer.
struct StoredProfiles {
    let box: BlackBoxAccess

    /// Where the bytes of a profile are stored.
    struct Place: Sendable {
        /// In the black box.
        var node: Int64
        var name: CaptureName
        var byteCount: Int
    }

    /// Calls `done` once with the place of a profile; `nil` when its bytes are not stored.
    func find(
        podName: String, profileID: String, type: String,
        _ done: @escaping (Result<Place?, BlackBoxRefusal>) -> Void
    ) {
        box.questions.read(
            { reader throws(BlackBoxRefusal) in
                do throws(DatabaseError) {
                    // The newest node of the pod first.
                    for node in try reader.nodes(ofPod: podName).reversed() {
                        let stored = try reader.profiles(of: node.id).first {
                            ExactText.areEqual($0.profileID, profileID) && $0.type == type && $0.byteCount != nil
                        }
                        guard let byteCount = stored?.byteCount else { continue }
                        let name = CaptureName(
                            podName: node.podName, role: node.role, profileID: profileID, type: type)
                        return Place(node: node.id, name: name, byteCount: Int(clamping: byteCount))
                    }
                    return nil
                } catch {
                    throw BlackBoxRefusal(error)
                }
            }, done)
    }

    /// Calls `done` once with the bytes of a profile. More than the limit are not read.
    func fetch(_ place: Place, limitBytes: Int, _ done: @escaping (Result<[UInt8], BlackBoxRefusal>) -> Void) {
        guard place.byteCount <= limitBytes else {
            let refusal = DownloadRefusal.tooLarge(byteCount: UInt64(place.byteCount), limitBytes: limitBytes)
            return done(.failure(BlackBoxRefusal(status: refusal.status, text: refusal.text)))
        }
        box.questions.read(
            { reader throws(BlackBoxRefusal) in
                let bytes: [UInt8]?
                do throws(DatabaseError) {
                    bytes = try reader.profile(
                        of: place.node, profileID: place.name.profileID, type: place.name.type, limitBytes: limitBytes)
                } catch {
                    throw BlackBoxRefusal(error)
                }
                guard let bytes else { throw .withoutProfile(reader) }
                return bytes
            }, done)
    }

    /// Answers with the bytes as they were fetched, in pieces: a profile may be large.
    func answer(_ place: Place, _ responder: HTTPResponder, refuse: @escaping (BlackBoxRefusal) -> Void) {
        guard !responder.isClosed else { return }
        let head = StreamedAnswer.Head(
            contentType: Download.contentType,
            fields: [("Content-Disposition", "attachment; filename=\"\(place.name.filename).pprof\"")],
            compression: .never)
        if responder.request.isHead {
            return responder.respond(
                status: 200, contentType: head.contentType, headers: head.fields, body: .unmade, compression: .declined)
        }
        box.streams.begin(
            responder,
            { reader throws(BlackBoxRefusal) in
                let bytes: [UInt8]?
                do throws(DatabaseError) {
                    bytes = try reader.profile(of: place.node, profileID: place.name.profileID, type: place.name.type)
                } catch {
                    throw BlackBoxRefusal(error)
                }
                guard let bytes else { throw .withoutProfile(reader) }
                return StreamedAnswer(head: head) { output throws(DatabaseError) in output(bytes) }
            }, refuse: refuse)
    }
}

extension BlackBoxRefusal {
    private static let damagedProfile = BlackBoxRefusal(
        status: 503, text: "the profile is stored, and its bytes are damaged", cause: .unreadable)

    /// Its bytes were there a moment ago.
    fileprivate static func withoutProfile(_ reader: BlackBoxReader) -> BlackBoxRefusal {
        reader.damagedCount == 0 ? .notFound("this profile is no longer stored") : .damagedProfile
    }
}

extension ReportSources {
    /// Answers with the reason why the black box has no answer.
    func refuse(_ refusal: BlackBoxRefusal, _ path: String, to responder: HTTPResponder) {
        guard !responder.isClosed else { return }
        guard refusal.cause == nil else { return refuse(.store(refusal), path, to: responder) }
        responder.respond(status: refusal.status, text: refusal.text)
    }
}
