// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import HTTPServer
import Lanes
import Reports

/// The captures that agents have on disk, as they last said; asks them when that is wanted.
final class ProfileLists {
    static let waitNanoseconds: UInt64 = 10_000_000_000

    typealias Lists = [(agent: AgentID, list: PressureReport.List)]

    /// What is known after agents were asked.
    struct Refreshed {
        var lists: Lists
        var result: AnswerResult
        /// Agents that were asked, and nothing is known of what they have.
        var leftOut: Int
    }

    private let sources: ReportSources

    init(sources: ReportSources) {
        self.sources = sources
    }

    /// What is known now, without asking.
    func known(_ filter: AgentFilter, _ done: @escaping (Result<Lists, ReportFailure>) -> Void) {
        read(sources.reporters(filter), done)
    }

    /// Asks first. An agent that serves a download is not asked; what is known of it counts.
    func refreshed(_ filter: AgentFilter, _ done: @escaping (Result<Refreshed, ReportFailure>) -> Void) {
        sources.collect(.pressureProfiles, filter, waitNanoseconds: Self.waitNanoseconds) { [self] reporters, result in
            if let failure = result.failure { return done(.failure(failure)) }
            read(reporters) { [sources] outcome in
                done(
                    outcome.map { lists in
                        Refreshed(
                            lists: lists, result: result,
                            leftOut: sources.leftOut(.pressureProfiles, of: reporters, known: Set(lists.map(\.agent))))
                    })
            }
        }
    }

    private func read(
        _ reporters: [AgentID: Reporter], _ done: @escaping (Result<Lists, ReportFailure>) -> Void
    ) {
        let answers: [AgentID: AnswerReader.Answer]
        do throws(ReportFailure) {
            answers = try sources.reader.newest(.pressureList, of: Set(reporters.keys))
        } catch {
            return done(.failure(error))
        }
        sources.threads[.profiles].run { decoder in
            answers.compactMap { id, answer in
                reporters[id].map { (agent: id, list: Self.list(answer, $0, decoder)) }
            }
        } then: {
            done(.success($0))
        }
    }

    private static func list(
        _ answer: AnswerReader.Answer, _ reporter: Reporter, _ decoder: AnswerDecoder
    ) -> PressureReport.List {
        let messages = decoder.messages(Banyandb_Fodc_V1_StreamPressureProfilesRequest.self, of: answer)
        return PressureReport.List(reporter: reporter, records: messages.map(\.record))
    }
}

/// `GET /pressure-profiles`.
final class ProfileListEndpoint {
    private let lists: ProfileLists
    private let sources: ReportSources

    init(lists: ProfileLists, sources: ReportSources) {
        self.lists = lists
        self.sources = sources
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if request.isHead { return ReportAnswers.respondHead(to: responder) }
        lists.refreshed(AgentFilter(request)) { [sources] outcome in
            switch outcome {
            case .failure(let error): sources.refuse(error, .profiles, to: responder)
            case .success(let refreshed):
                let lists = refreshed.lists.map(\.list)
                sources.threads[.profiles].run { _ in
                    PressureReport(lists: lists)
                } then: { report in
                    sources.noteDropped(report.droppedRecords, .pressureProfiles)
                    sources.respond(
                        report.json, .profiles, refreshed.result, leftOut: refreshed.leftOut, to: responder)
                }
            }
        }
    }
}
