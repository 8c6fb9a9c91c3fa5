// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import HTTPServer
import NIOCore
import Platform
import Reports
import RingMessages

/// `GET /cluster/graph`: the cluster as a picture, and in forms that other programs draw.
final class GraphFeature: Feature {
    static let path = "/cluster/graph"

    enum Format: String, CaseIterable {
        case svg, dot, mermaid, json

        var contentType: String {
            switch self {
            case .svg: "image/svg+xml"
            case .dot: "text/vnd.graphviz; charset=utf-8"
            case .mermaid: "text/plain; charset=utf-8"
            case .json: "application/json"
            }
        }
    }

    private struct Question: Hashable {
        var format: Format
        var around: String?
    }

    /// Agents are asked for their topology that often at most, however many look …
    private static let askedNanoseconds: UInt64 = 30_000_000_000
    /// … and have so long to answer; the last answer of one that does not is used.
    private static let waitNanoseconds: UInt64 = 300_000_000
    /// A picture shows nothing that is not in it: no script, no other file.
    private static let headers = [
        ("Content-Security-Policy", "default-src 'none'"), ("X-Content-Type-Options", "nosniff"),
    ]

    /// The agents' views as one are used again for so long: they are most of the work, and change seldom.
    private static let topologyNanoseconds: UInt64 = 5_000_000_000

    private struct Product: Sendable {
        var bytes: ByteBuffer
        var topology: TopologyCalls
    }

    private typealias Maker = ReportMaker<Question, Product, ByteBuffer>

    private let sources: ReportSources
    private let fleet: FleetFeature
    private let decoded = DecodedAnswers<Banyandb_Fodc_V1_StreamClusterTopologyRequest>()
    private let thread: ReportThread
    private var askedAtNanoseconds: UInt64?
    private var topology: (calls: TopologyCalls, madeAtNanoseconds: UInt64)?
    private lazy var maker: Maker = sources.maker(
        thread, { [unowned self] question throws(ReportFailure) in try makeJob(question) },
        { [unowned self] product throws(ReportFailure) in
            keep(product.topology)
            return product.bytes
        })

    init(_ sources: ReportSources, _ fleet: FleetFeature) throws {
        self.sources = sources
        self.fleet = fleet
        thread = try sources.makeThread("graph", .graphThread)
        sources.expectPartialAnswers(of: Self.path)
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                path: Self.path, summary: "The cluster as a graph: tiers, states, calls with rate, errors and latency",
                parameters: [
                    .init(name: "format", meaning: Format.allCases.map(\.rawValue).joined(separator: ", ")),
                    .init(name: "pod_name", meaning: "only this node and those that it calls or is called by"),
                ], handle: handle)
        ]
    }

    private func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let name = request.parameter("format") ?? ""
        guard let format = name.isEmpty ? .svg : Format(rawValue: name) else {
            let known = Format.allCases.map(\.rawValue).joined(separator: ", ")
            return responder.respond(status: 400, text: "format \(name.quoted()) must be one of \(known)")
        }
        if request.isHead {
            return responder.respond(
                status: 200, contentType: format.contentType, headers: Self.headers, body: .unmade,
                compression: .declined)
        }
        let pod = request.parameter("pod_name") ?? ""
        let question = Question(format: format, around: pod.isEmpty ? nil : pod)
        ask { [self] in
            maker.report(question) { [sources] outcome in
                switch outcome {
                case .failure(let failure): sources.refuse(failure, Self.path, to: responder)
                case .success(let bytes):
                    TaggedAnswer.respond(
                        to: request, responder, contentType: format.contentType,
                        headers: Self.headers, bytes)
                }
            }
        }
    }

    private func ask(_ done: @escaping () -> Void) {
        let now = MonotonicClock.nowNanoseconds()
        if let askedAtNanoseconds, now.elapsed(since: askedAtNanoseconds) < Self.askedNanoseconds { return done() }
        askedAtNanoseconds = now
        // Which agents have answered does not matter: the picture is of what is known.
        sources.collect(.topology, AgentFilter(), waitNanoseconds: Self.waitNanoseconds) { _ in done() }
    }

    private func keep(_ calls: TopologyCalls) {
        let now = MonotonicClock.nowNanoseconds()
        if let topology, now.elapsed(since: topology.madeAtNanoseconds) < Self.topologyNanoseconds { return }
        topology = (calls, now)
    }

    private func makeJob(_ question: Question) throws(ReportFailure) -> Maker.Job {
        let rows = fleet.list.rows()
        let rates = fleet.history.tracks.compactMapValues { $0.rates?.calls }
        if let topology,
            MonotonicClock.nowNanoseconds().elapsed(since: topology.madeAtNanoseconds) < Self.topologyNanoseconds
        {
            let calls = topology.calls
            return Maker.Job { _ in .success(Self.make(question, rows, calls, rates)) }
        }
        let answers = try sources.reader.newest(.topology, of: Set(sources.reporters().keys))
        let byAgent = answers.byAgent
        return Maker.Job(answers: answers.lease) { [decoded] decoder in
            let views = decoded.messages(of: byAgent, decoder).map {
                TopologyReport.View(message: $0.message, receivedAtNanoseconds: $0.answer.receivedAtNanoseconds)
            }
            return .success(Self.make(question, rows, TopologyCalls(views: views), rates))
        }
    }

    private static func make(
        _ question: Question, _ rows: [FleetRow], _ topology: TopologyCalls,
        _ rates: [String: [String: NodeRates.Calls]]
    ) -> Product {
        let graph = ClusterGraph(rows, topology, rates: rates, around: question.around)
        let bytes =
            switch question.format {
            case .svg: ByteBuffer(string: GraphSVG.text(graph))
            case .dot: ByteBuffer(string: GraphText.dot(graph))
            case .mermaid: ByteBuffer(string: GraphText.mermaid(graph))
            case .json: ByteBuffer(bytes: GraphText.json(graph))
            }
        return Product(bytes: bytes, topology: topology)
    }
}
