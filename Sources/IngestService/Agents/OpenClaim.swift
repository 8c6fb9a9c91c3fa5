// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import Lanes

/// A registration on its way: from its first message until its agent is online, or it is refused. It has a slot of its own,
/// so that the other workers know of it.
final class OpenClaim {
    let request: Banyandb_Fodc_V1_RegisterAgentRequest
    let identity: AgentIdentity
    /// The identity's own id.
    let id: AgentID
    let hash: UInt64
    let call: RegistrationCall
    let slot: SlotRef
    var judgement: ClaimCase
    /// How many of those in the way there were when the other workers were told last to look.
    var announcedCount = 0
    var isAnnounced: Bool { announcedCount > 0 }
    /// Connections of this identity here that have answered a ping for this claim, by slot.
    var alive: Set<UInt32> = []
    /// Those that are being pinged.
    var pinged: Set<UInt32> = []
    /// Its agent has been made, and what is left is to say so.
    var isSettled = false
    /// What became of it, as in the metrics: `new`, `returned` or `twin`.
    var outcome = ""

    init(
        request: Banyandb_Fodc_V1_RegisterAgentRequest, identity: AgentIdentity, id: AgentID, hash: UInt64,
        call: RegistrationCall, slot: SlotRef, judgement: ClaimCase
    ) {
        self.request = request
        self.identity = identity
        self.id = id
        self.hash = hash
        self.call = call
        self.slot = slot
        self.judgement = judgement
    }

    var mark: ClaimMark { judgement.mark }

    var labels: [AgentLabel] {
        request.labels.sorted { $0.key < $1.key }.map { AgentLabel(key: $0.key, value: $0.value) }
    }
}
