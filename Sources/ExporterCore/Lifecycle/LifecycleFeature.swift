// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import NIOCore
import Reports

/// `GET /cluster/lifecycle`, and the collections every `--lifecycle-interval`.
final class LifecycleFeature: Feature {
    private static let path = "/cluster/lifecycle"

    private let sources: ReportSources
    private let collector: LifecycleCollector
    /// `nil`: nothing is collected unless somebody asks.
    private let timer: LifecycleTimer?

    init(_ context: FeatureContext, _ sources: ReportSources) throws {
        let core = context.core
        self.sources = sources
        collector = LifecycleCollector(
            sources: sources, thread: try sources.makeThread("lifecyc", .lifecycleThread), state: core.state,
            loop: core.loop, logger: core.logger)
        let interval = core.launch.settings.lifecycleInterval.wholeNanoseconds
        if interval > 0 {
            timer = LifecycleTimer(collector: collector, interval: .nanoseconds(interval), loop: core.loop) {
                [directory = core.directory] in directory.hasListed
            }
        } else {
            timer = nil
        }
        sources.expectPartialAnswers(of: Self.path)
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                path: Self.path, summary: "Groups, segments, reports; consistency of schemas with the registry",
                handle: handle)
        ]
    }

    var metrics: [any MetricSource] { [collector] }

    func start() { timer?.start() }
    func retire() { timer?.stop() }

    private func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if request.isHead { return ReportSources.respondHead(to: responder) }
        collector.collect { [sources] outcome in
            let result = (try? outcome.get().result) ?? AnswerResult()
            sources.respond(outcome.map(\.report), Self.path, result, to: responder)
        }
    }
}
