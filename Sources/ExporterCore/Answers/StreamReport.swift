// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import RingMessages

/// A report on what agents say on one stream: asks them, then makes the report of what is known.
final class StreamReport {
    typealias Maker = ReportMaker<AgentFilter, MadeReport, FinishedReport>

    private let sources: ReportSources
    let path: String
    private let stream: AgentStream
    private let waitNanoseconds: UInt64
    private let maker: Maker

    /// - Parameters:
    ///   - path: the endpoint's.
    ///   - waitNanoseconds: how long agents have to answer.
    ///   - thread: where the report is made.
    ///   - makeJob: copies answers out of the rings, on the event loop.
    init(
        _ sources: ReportSources, path: String, _ stream: AgentStream, waitNanoseconds: UInt64,
        on thread: ReportThread, makeJob: @escaping (AgentFilter) throws(ReportFailure) -> Maker.Job
    ) {
        self.sources = sources
        self.path = path
        self.stream = stream
        self.waitNanoseconds = waitNanoseconds
        maker = sources.maker(thread, stream, makeJob)
        sources.expectPartialAnswers(of: path)
    }

    /// - Parameter filter: of the agents that are asked.
    func answer(_ request: HTTPRequest, _ filter: AgentFilter, _ responder: HTTPResponder) {
        if request.isHead { return ReportSources.respondHead(to: responder) }
        sources.collect(stream, filter, waitNanoseconds: waitNanoseconds) { [self] result in
            if let failure = result.failure { return sources.refuse(failure, path, to: responder) }
            maker.report(filter) { [self] in sources.respond($0, path, result, to: responder) }
        }
    }
}
