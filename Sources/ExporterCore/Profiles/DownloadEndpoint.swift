// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Platform
import Rings

/// `GET /pressure-profiles/{pod_name}/{profile_id}/{type}`: finds the profile among those that are known, after one look at
/// the agents if need be, and has it downloaded.
final class DownloadEndpoint {
    static let path = "/pressure-profiles/{pod_name}/{profile_id}/{type}"
    static let types = ["heap", "goroutine"]

    private let lists: ProfileLists
    private let downloads: Downloads
    private let views: ProfileViews
    private let directory: AgentDirectory
    private let sources: ReportSources
    /// `nil`: nothing is recorded.
    private let stored: StoredProfiles?

    init(
        _ lists: ProfileLists, _ downloads: Downloads, _ views: ProfileViews, _ sources: ReportSources,
        _ stored: StoredProfiles?
    ) {
        self.stored = stored
        self.lists = lists
        self.downloads = downloads
        self.views = views
        self.sources = sources
        directory = sources.directory
        sources.expectPartialAnswers(of: Self.path)
        guard stored != nil else { return }
        sources.expectStoreTrouble(of: Self.path, BlackBoxRefusal.Cause.allCases.map(\.rawValue), .refused)
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        // The router has matched the path: four segments.
        let (podName, profileID, type) = (request.pathSegments[1], request.pathSegments[2], request.pathSegments[3])
        guard Self.types.contains(type) else {
            return responder.respond(
                status: 400, text: "type \(type.quoted()) must be \(Self.types.joined(separator: " or "))")
        }
        let question: ProfileQuestion?
        do throws(RequestMistake) {
            question = try ProfileQuestion.of(request)
        } catch {
            return responder.respond(status: 400, text: error.text)
        }
        let wanted = Wanted(podName: podName, profileID: profileID, type: type)
        guard let question else {
            return locate(wanted, responder) { [self] found in
                switch found {
                case .agent(let request):
                    downloads.begin(request, responder) { [self] in answerStored(wanted, responder, otherwise: $0) }
                case .stored(let place): answer(place, responder)
                }
            }
        }
        locate(wanted, responder) { [self] shown in
            guard let baseID = question.base else { return views.begin(question, shown, base: nil, responder) }
            let base = Wanted(podName: question.basePod ?? podName, profileID: baseID, type: type)
            locate(base, responder) { [self] in views.begin(question, shown, base: $0, responder) }
        }
    }

    private struct Wanted {
        var podName: String
        var profileID: String
        var type: String
    }

    /// Calls `found` with the place of a profile, or refuses: with its agent, or else in the black box.
    private func locate(_ wanted: Wanted, _ responder: HTTPResponder, found: @escaping (CaptureSource) -> Void) {
        var filter = AgentFilter()
        filter.podName = ExactText(wanted.podName.lowercased())
        lists.known(filter) { [self, filter] known in
            if case .success(let lists) = known, let request = find(wanted, in: lists) { return found(.agent(request)) }
            lists.refresh(filter) { [self] result in
                if let failure = result.failure {
                    return locateStored(wanted, responder, found) { [self] _ in
                        sources.refuse(failure, Self.path, to: responder)
                    }
                }
                lists.known(filter) { [self] in locate(wanted, $0, result, responder, found) }
            }
        }
    }

    private func locate(
        _ wanted: Wanted, _ known: Result<ProfileLists.Lists, ReportFailure>, _ result: AnswerResult,
        _ responder: HTTPResponder, _ found: @escaping (CaptureSource) -> Void
    ) {
        guard !responder.isClosed else { return }
        switch known {
        case .failure(let failure): return sources.refuse(failure, Self.path, to: responder)
        case .success(let lists):
            if let request = find(wanted, in: lists) { return found(.agent(request)) }
        }
        locateStored(wanted, responder, found) { [self] refusal in
            guard !responder.isClosed else { return }
            // The agent or the black box may have the profile, so "not found" would be wrong.
            if result.isPartial { return sources.refuse(.notAnswered, Self.path, to: responder) }
            if let refusal { return sources.refuse(.store(refusal), Self.path, to: responder) }
            responder.respond(
                status: 404,
                text: "no agent of pod \(wanted.podName.quoted()) has a \(wanted.type) profile "
                    + "\(wanted.profileID.quoted()); /pressure-profiles lists the available ones")
        }
    }

    /// A profile that was fetched while its agent was there is there still.
    ///
    /// - Parameter otherwise: gets the reason if nobody can say whether it is stored.
    private func locateStored(
        _ wanted: Wanted, _ responder: HTTPResponder, _ found: @escaping (CaptureSource) -> Void,
        otherwise: @escaping (BlackBoxRefusal?) -> Void
    ) {
        guard let stored else { return otherwise(nil) }
        stored.find(podName: wanted.podName, profileID: wanted.profileID, type: wanted.type) { place in
            guard !responder.isClosed else { return }
            switch place {
            case .success(let place?): found(.stored(place))
            case .success(nil): otherwise(nil)
            case .failure(let refusal): otherwise(refusal)
            }
        }
    }

    private func answerStored(_ wanted: Wanted, _ responder: HTTPResponder, otherwise: @escaping () -> Void) {
        locateStored(
            wanted, responder,
            { [self] found in
                if case .stored(let place) = found { answer(place, responder) }
            }, otherwise: { _ in otherwise() })
    }

    private func answer(_ place: StoredProfiles.Place, _ responder: HTTPResponder) {
        stored?.answer(place, responder) { [self] in sources.refuse($0, Self.path, to: responder) }
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
