// SPDX-License-Identifier: Apache-2.0
import Pprof

/// Names one profile of one capture.
struct CaptureName: Equatable {
    var podName: String
    var role: String
    var profileID: String
    /// `heap` or `goroutine`.
    var type: String

    /// The value of `Content-Disposition` for the profile in another form.
    func disposition(as format: ProfileFormat) -> String {
        switch format {
        case .svg: "inline; filename=\"\(filename).svg\""
        case .collapsed, .top: "inline; filename=\"\(filename).\(format.rawValue).txt\""
        case .json: "inline; filename=\"\(filename).json\""
        case .speedscope: "attachment; filename=\"\(filename).speedscope.json\""
        }
    }

    /// Without an extension.
    var filename: String {
        ProfileFilename.stem(podName: podName, role: role, profileID: profileID, type: type)
    }
}

/// Where the bytes of a profile are.
enum CaptureSource {
    /// The agent has them, and the black box may have them, too.
    case agent(DownloadRequest)
    /// The black box has them; the agent is gone or does not answer.
    case stored(StoredProfiles.Place)

    var name: CaptureName {
        switch self {
        case .agent(let request): request.name
        case .stored(let place): place.name
        }
    }

    /// Bytes as they were announced, which may be wrong for those of an agent.
    var expectedBytes: UInt64 {
        switch self {
        case .agent(let request): request.expectedBytes
        case .stored(let place): UInt64(max(0, place.byteCount))
        }
    }
}
