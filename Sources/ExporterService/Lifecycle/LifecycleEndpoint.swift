// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Metrics
import Reports

/// `GET /cluster/lifecycle`.
final class LifecycleEndpoint {
    private let collector: LifecycleCollector
    private let answers: ReportAnswers

    init(collector: LifecycleCollector, answers: ReportAnswers) {
        self.collector = collector
        self.answers = answers
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if request.isHead { return ReportAnswers.respondHead(to: responder) }
        collector.collect { [answers] outcome in
            switch outcome {
            case .success(let json): answers.respond(json, to: responder)
            case .failure(let error): responder.respond(error)
            }
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
