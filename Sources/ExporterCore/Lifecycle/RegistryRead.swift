// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Reports
import RingMessages
import Rings

/// Reads the schema registry: of the liaison agents, in the order of their ids, the first that can gives it.
final class RegistryRead {
    typealias LastContents = LastOutcome<ContentFingerprint, RegistryContents>

    /// Larger ones are decoded anew each time.
    private static let keptBytes = 1 << 20
    /// One liaison that hangs must leave the next its turn within the time of the whole collection.
    static let waitNanoseconds: UInt64 = 20_000_000_000
    private static let liaisonRole = "ROLE_LIAISON"

    private let sources: ReportSources
    private let thread: ReportThread
    private let last: LastContents
    private var rest: ArraySlice<(id: AgentID, podName: String)>
    private var reasons: [String] = []
    private let done: (RegistryOutcome) -> Void

    private init(
        _ sources: ReportSources, _ thread: ReportThread, _ last: LastContents,
        _ done: @escaping (RegistryOutcome) -> Void
    ) {
        self.sources = sources
        self.thread = thread
        self.last = last
        self.done = done
        let listed = sources.directory.listed()
        let liaisons = sources.reporters().filter { id, reporter in
            let streams = listed[id]?.openStreams ?? 0
            return reporter.role == Self.liaisonRole && streams & AgentStream.schemaRegistry.bit != 0
        }
        rest =
            liaisons.sorted { $0.value.agentID < $1.value.agentID }.map { (id: $0.key, podName: $0.value.podName) }[...]
    }

    /// Calls `done` once.
    static func begin(
        _ sources: ReportSources, _ thread: ReportThread, _ last: LastContents,
        _ done: @escaping (RegistryOutcome) -> Void
    ) {
        let read = RegistryRead(sources, thread, last, done)
        guard !read.rest.isEmpty else { return done(.noLiaison) }
        read.askNext()
    }

    private func askNext() {
        guard let liaison = rest.popFirst() else { return done(.failed(reasons: reasons)) }
        let target = AnswerCollections.Target(stream: .schemaRegistry, agents: [liaison.id])
        sources.collections.collect(target, waitNanoseconds: Self.waitNanoseconds) { [self] result in
            guard let bytes = result.registries[liaison.id] else {
                reasons.append("\(liaison.podName): no answer")
                return askNext()
            }
            thread.run { [last] _ in
                last.outcome(
                    of: ContentFingerprint(of: bytes.span.bytes), isKept: { _ in bytes.count <= Self.keptBytes }
                ) {
                    RegistryContents(
                        AnswerDecoder.messages(Banyandb_Fodc_V1_StreamSchemaRegistryRequest.self, in: bytes))
                }
            } then: { [self] contents in
                sources.noteDropped(contents.droppedRecords, .schemaRegistry)
                guard let failure = contents.failure else { return done(.read(contents)) }
                reasons.append("\(liaison.podName): \(failure)")
                askNext()
            }
        }
    }
}
