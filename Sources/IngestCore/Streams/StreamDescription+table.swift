// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import RingMessages

/// The table of streams. A new one is a value here, or in a file of its own, and an `AgentStream`.
extension StreamDescription {
    static let all: [StreamDescription] = [
        topology, lifecycle, crashDiagnostics, pressureProfiles, schemaRegistry, configuration,
    ]

    static let topology = StreamDescription(
        .topology,
        request: .constant(bytes(Banyandb_Fodc_V1_StreamClusterTopologyResponse.with { $0.requestTopology = true })),
        answer: .message(isTimestamped: true)
    ) { try ParsedMessage(answer: Banyandb_Fodc_V1_StreamClusterTopologyRequest.self, $0) }

    /// Lifecycle takes an agent up to 80 s, and fails without a word.
    static let lifecycle = StreamDescription(
        .lifecycle,
        request: .constant(bytes(Banyandb_Fodc_V1_StreamLifecycleResponse.with { $0.requestLifecycle = true })),
        answer: .message(isTimestamped: true), timeouts: .init(hungAfter: 90_000_000_000, lostAfter: 90_000_000_000)
    ) { try ParsedMessage(answer: Banyandb_Fodc_V1_StreamLifecycleRequest.self, $0) }

    static let configuration = StreamDescription(
        .configuration, request: .constant(bytes(Fodc_Proxy_V1_NodeConfigurationRequest())),
        answer: .message(isTimestamped: false)
    ) {
        try ParsedMessage(
            answer: Fodc_Proxy_V1_NodeConfiguration.self, $0, limits: MessageLimits(entries: configurationEntries))
    }

    /// Keys of a configuration: many times what a node has. The report compares the nodes' keys one by one.
    private static let configurationKeys = 10_000
    /// The time at which it was collected is one, too.
    private static let configurationEntries = configurationKeys + 1
}
