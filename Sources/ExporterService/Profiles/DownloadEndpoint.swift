// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Lanes
import Platform

/// `GET /pressure-profiles/{pod_name}/{profile_id}/{type}`: finds the profile among those that are known, after one look at
/// the agents if need be, and has it downloaded.
final class DownloadEndpoint {
    static let types = ["heap", "goroutine"]

    private let lists: ProfileLists
    private let downloads: Downloads
    private let directory: AgentDirectory
    private let sources: ReportSources

    init(lists: ProfileLists, downloads: Downloads, sources: ReportSources) {
        self.lists = lists
        self.downloads = downloads
        self.sources = sources
        directory = sources.directory
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        // The router has matched the path: four segments.
        let (podName, profileID, type) = (request.pathSegments[1], request.pathSegments[2], request.pathSegments[3])
        guard Self.types.contains(type) else {
            return responder.respond(
                status: 400, text: "type \(Self.quoted(type)) must be \(Self.types.joined(separator: " or "))")
        }
        var filter = AgentFilter()
        filter.podName = podName.lowercased()
        lists.known(filter) { [self] known in
            if case .success(let lists) = known, let found = find(podName, profileID, type, in: lists) {
                return downloads.begin(found, responder)
            }
            lists.refreshed(filter) { [self] outcome in
                guard !responder.isClosed else { return }
                let refreshed: ProfileLists.Refreshed
                switch outcome {
                case .failure(let failure): return sources.refuse(failure, .download, to: responder)
                case .success(let success): refreshed = success
                }
                if let found = find(podName, profileID, type, in: refreshed.lists) {
                    return downloads.begin(found, responder)
                }
                // The agent may have the profile, so "not found" would be wrong.
                if refreshed.result.isPartial { return sources.refuse(.notAnswered, .download, to: responder) }
                responder.respond(
                    status: 404,
                    text: "no agent of pod \(Self.quoted(podName)) has a \(type) profile \(Self.quoted(profileID)); "
                        + "/pressure-profiles lists those that there are")
            }
        }
    }

    private func find(
        _ podName: String, _ profileID: String, _ type: String, in lists: ProfileLists.Lists
    ) -> DownloadRequest? {
        let listed = directory.listed()
        for (agent, list) in lists where ExactText.areEqual(list.reporter.podName, podName) {
            // Nobody has the stream just now: the worker that has the agent says so.
            guard let place = listed[agent] else { continue }
            let worker = place.worker(having: .pressureProfiles) ?? place.worker
            for record in list.records where ExactText.areEqual(record.profileID, profileID) {
                guard let profile = record.profiles.first(where: { ExactText.areEqual($0.type, type) }) else {
                    continue
                }
                return DownloadRequest(
                    agent: agent, worker: worker, podName: podName, role: list.reporter.role, profileID: profileID,
                    type: type, filepath: profile.filepath, sizeBytes: profile.sizeBytes)
            }
        }
        return nil
    }

    private static func quoted(_ text: String) -> String { text.prefix(128).debugDescription }
}
