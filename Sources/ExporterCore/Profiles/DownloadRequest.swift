// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings

/// A profile that somebody wants, as the newest list of its agent has it.
struct DownloadRequest {
    var agent: AgentID
    /// The ingest worker that has the agent's stream.
    var worker: Int
    var podName: String
    var role: String
    var profileID: String
    /// `heap` or `goroutine`.
    var type: String
    var filepath: String
    /// The agent's own value; it may be wrong.
    var sizeBytes: Int64

    var command: FetchCommand {
        FetchCommand(agent: agent, profileID: profileID, type: type, filepath: filepath)
    }

    var expectedBytes: UInt64 { UInt64(max(0, sizeBytes)) }

    var name: CaptureName { CaptureName(podName: podName, role: role, profileID: profileID, type: type) }

    var headers: [(String, String)] {
        [("Content-Disposition", "attachment; filename=\"\(name.filename).pprof\"")]
    }
}
