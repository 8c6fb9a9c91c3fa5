// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL
import Synchronization

/// Makes the agents of a fleet; what agents have in common is made once.
final class FleetBuilder: Sendable {
    private struct TemplateKey: Hashable {
        let kind: NodeKind
        let podNameBytes: Int
    }

    private let settings: FleetSettings
    private let address: SocketAddress
    private let security: NIOSSLContext?
    private let behaviours: [AgentBehaviour]
    private let cluster: SimulatedCluster
    private let catalogue: SchemaCatalogue
    /// Its place among the agents of this process; `nil`: the process has no such agent.
    private let firstDataPlace: Int?
    private let templates = Mutex<[TemplateKey: TemplateSet]>([:])

    /// - Throws: if the proxy's name is not known, or a file of TLS cannot be used.
    init(_ settings: FleetSettings) throws {
        self.settings = settings
        address = try SocketAddress.makeAddressResolvingHost(settings.proxy.host, port: settings.proxy.port)
        security = try settings.security?.makeContext()
        cluster = SimulatedCluster(
            mix: settings.mix, podPrefix: settings.podPrefix, nodeCount: settings.startIndex + settings.agentCount,
            seed: settings.seed)
        catalogue = SchemaCatalogue(groupCount: settings.streams.groupCount, seed: settings.seed)
        firstDataPlace = (0..<settings.agentCount).first {
            settings.mix.place(of: settings.startIndex + $0).kind != .liaison
        }
        var behaviours = AgentBehaviour.assign(
            agentCount: settings.agentCount, slow: settings.slow, hanging: settings.hangingFraction,
            frozen: settings.frozenFraction, seed: settings.seed)
        // Messages that the first agent alone sends are to arrive.
        if settings.sendsOddMetrics || settings.scrape != nil, let normal = behaviours.firstIndex(of: .normal) {
            behaviours.swapAt(0, normal)
        }
        self.behaviours = behaviours
    }

    /// Every `shardCount`-th agent from `shard` on, each with its place among all.
    func agents(
        of shard: Int, shardCount: Int, eventLoop: any EventLoop, statistics: FleetStatistics,
        scraped: ScrapedSeriesStore?, log: @escaping @Sendable (String) -> Void
    ) -> [(place: Int, agent: SimulatedAgent)] {
        stride(from: shard, to: settings.agentCount, by: shardCount).map { place in
            let identity = SimulatedIdentity(
                index: settings.startIndex + place, mix: settings.mix, podPrefix: settings.podPrefix)
            let series: AnswerMaker.Series =
                if place == 0, let scraped { .scraped(scraped) } else { .planned(templateSet(for: identity)) }
            let maker = AnswerMaker(
                identity: identity, source: settings.values, schedule: settings.schedule(for: identity), series: series,
                sendsOddMetrics: settings.sendsOddMetrics && place == 0, seed: settings.seed)
            let configuration = AgentConnection.Configuration(
                identity: identity, behaviour: behaviours[place], streamCount: settings.streamCount,
                silentStreams: settings.streams.silent, authority: settings.proxy.description,
                freezeAfter: TimeAmount(settings.freezeAfter))
            let agent = SimulatedAgent(
                configuration, maker: maker, answers: nodeAnswers(of: identity, place: place), address: address,
                security: security, eventLoop: eventLoop, statistics: statistics, log: log)
            return (place, agent)
        }
    }

    private func nodeAnswers(of identity: SimulatedIdentity, place: Int) -> NodeAnswers {
        let liaisonsBefore = settings.mix.count(of: .liaison, among: identity.index)
        return NodeAnswers(
            identity, in: cluster, catalogue, settings.streams, isSchemaFaulty: place == firstDataPlace,
            canReadRegistry: liaisonsBefore >= settings.streams.unreadableRegistryCount)
    }

    private func templateSet(for identity: SimulatedIdentity) -> TemplateSet {
        templates.withLock { templates in
            let key = TemplateKey(kind: identity.kind, podNameBytes: identity.podName.utf8.count)
            if let set = templates[key] { return set }
            let set = TemplateSet(
                plan: SeriesPlan(kind: key.kind, count: settings.seriesCount), podNameBytes: key.podNameBytes,
                source: settings.values, seed: settings.seed)
            templates[key] = set
            return set
        }
    }
}
