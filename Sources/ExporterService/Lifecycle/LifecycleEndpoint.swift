// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Metrics
import Reports

/// `GET /cluster/lifecycle`.
final class LifecycleEndpoint {
    private let collector: LifecycleCollector
    private let sources: ReportSources

    init(collector: LifecycleCollector, sources: ReportSources) {
        self.collector = collector
        self.sources = sources
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if request.isHead { return ReportSources.respondHead(to: responder) }
        collector.collect { [sources] outcome in
            let result = (try? outcome.get().result) ?? AnswerResult()
            sources.respond(outcome.map(\.report), .lifecycle, result, to: responder)
        }
    }

    /// The verdicts of the last collection, for `/metrics`.
    static func families(_ consistency: SchemaConsistency) -> [ExtraFamily] {
        var builder = FamilyBuilder()
        builder.add(
            "banyandb_fodc_schema_consistency_status", .gauge,
            "Whether the nodes have the schema that the registry has: 1 consistent, 2 inconsistent, 3 unknown.",
            consistency.gaugeValues.map { ([("group", $0.group)], Double($0.value)) })
        return builder.families
    }
}
