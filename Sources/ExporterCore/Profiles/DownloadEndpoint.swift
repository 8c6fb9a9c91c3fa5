// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Lanes
import Platform

/// `GET /pressure-profiles/{pod_name}/{profile_id}/{type}`: finds the profile among those that are known, after one look at
/// the agents if need be, and has it downloaded.
final class DownloadEndpoint {
    static let path = "/pressure-profiles/{pod_name}/{profile_id}/{type}"
    static let types = ["heap", "goroutine"]

    private let lists: ProfileLists
    private let downloads: Downloads
    private let directory: AgentDirectory
    private let sources: ReportSources

    init(_ lists: ProfileLists, _ downloads: Downloads, _ sources: ReportSources) {
        self.lists = lists
        self.downloads = downloads
        self.sources = sources
        directory = sources.directory
        sources.expectPartialAnswers(of: Self.path)
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        // The router has matched the path: four segments.
        let (podName, profileID, type) = (request.pathSegments[1], request.pathSegments[2], request.pathSegments[3])
        guard Self.types.contains(type) else {
            return responder.respond(
                status: 400, text: "type \(type.quoted()) must be \(Self.types.joined(separator: " or "))")
        }
        var filter = AgentFilter()
        filter.podName = ExactText(podName.lowercased())
        let wanted = Wanted(podName: podName, profileID: profileID, type: type)
        lists.known(filter) { [self, filter] known in
            if case .success(let lists) = known, let found = find(wanted, in: lists) {
                return downloads.begin(found, responder)
            }
            lists.refresh(filter) { [self] result in
                if let failure = result.failure { return sources.refuse(failure, Self.path, to: responder) }
                lists.known(filter) { [self] in begin(wanted, $0, result, responder) }
            }
        }
    }

    private struct Wanted {
        var podName: String
        var profileID: String
        var type: String
    }

    private func begin(
        _ wanted: Wanted, _ known: Result<ProfileLists.Lists, ReportFailure>, _ result: AnswerResult,
        _ responder: HTTPResponder
    ) {
        guard !responder.isClosed else { return }
        switch known {
        case .failure(let failure): return sources.refuse(failure, Self.path, to: responder)
        case .success(let lists):
            if let found = find(wanted, in: lists) { return downloads.begin(found, responder) }
        }
        // The agent may have the profile, so "not found" would be wrong.
        if result.isPartial { return sources.refuse(.notAnswered, Self.path, to: responder) }
        responder.respond(
            status: 404,
            text: "no agent of pod \(wanted.podName.quoted()) has a \(wanted.type) profile "
                + "\(wanted.profileID.quoted()); /pressure-profiles lists the available ones")
    }

    private func find(_ wanted: Wanted, in lists: ProfileLists.Lists) -> DownloadRequest? {
        let listed = directory.listed()
        for known in lists where ExactText.areEqual(known.list.reporter.podName, wanted.podName) {
            // Nobody has the stream just now: the worker that has the agent says so.
            guard let place = listed[known.agent] else { continue }
            let worker = place.worker(having: .pressureProfiles) ?? place.worker
            for record in known.list.records where ExactText.areEqual(record.profileID, wanted.profileID) {
                let profile = record.profiles.first { ExactText.areEqual($0.type, wanted.type) }
                guard let profile else { continue }
                return DownloadRequest(
                    agent: known.agent, worker: worker, podName: wanted.podName, role: known.list.reporter.role,
                    profileID: wanted.profileID, type: wanted.type, filepath: profile.filepath,
                    sizeBytes: profile.sizeBytes)
            }
        }
        return nil
    }
}
