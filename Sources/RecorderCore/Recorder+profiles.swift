// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import Platform
import RingMessages
import Rings

/// Profiles that pass through a ring, whoever has asked for them, become stored ones.
extension Recorder {
    func takeProfileRecord(
        _ header: RecordHeader, _ payload: RawSpan, _ ring: FollowedRing, _ store: BlackBoxStore
    ) throws(DatabaseError) {
        let key = ProfileAssemblies.Key(worker: ring.worker, generation: header.generation, number: header.number)
        switch header.type {
        case .fetchBegun:
            guard let (_, node) = try agentAndNode(header, ring, store) else { return }
            guard let command = FetchCommand(payload: payload) else { return count { $0.recordsMalformed += 1 } }
            guard try store.lacksProfile(of: node, profileID: command.profileID, type: command.type) else { return }
            assemblies.begin(key, node: node, profileID: command.profileID, type: command.type)
        case .profileChunk: assemblies.add(payload, at: header.subject, to: key)
        default:
            guard let ending = FetchEnding(payload: payload) else { return count { $0.recordsMalformed += 1 } }
            guard let profile = assemblies.end(key, ending, byteCount: header.subject) else { return }
            let isStored = try store.storeProfileBytes(
                profile.bytes, of: profile.node, profileID: profile.profileID, type: profile.type)
            guard isStored else { return }
            isChanged = true
            count { $0.profilesStored += 1 }
        }
    }
}
