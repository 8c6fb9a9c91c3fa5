// SPDX-License-Identifier: Apache-2.0
import RingMessages

/// Time series of a window: `/metrics-windows`.
final class WindowsFeature: Feature {
    let windows: Windows
    private let endpoint: WindowsEndpoint

    /// - Parameter latest: what a request without a window is answered with.
    init(_ context: FeatureContext, latest: MetricsFeature) {
        let core = context.core
        windows = Windows(
            core.collecting, directory: core.directory,
            budgetBytes: context.budgets.bytes(upTo: Windows.maximumAnswerBytes))
        endpoint = WindowsEndpoint(
            collections: latest.collections, windows: windows, selection: latest.selection, partial: context.partial)
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                path: WindowsEndpoint.path, summary: "Time series of a window, as JSON",
                parameters: [
                    .init(name: "start_time", meaning: "RFC 3339; without both the latest values"),
                    .init(name: "end_time", meaning: "RFC 3339"), .role, .podName,
                ], handle: endpoint.handle)
        ]
    }

    var records: [RecordHandler] {
        [
            RecordHandler(ofAgent: .window) { [unowned self] header, payload, agent in
                windows.arrived(number: header.number, payload, from: agent)
                return true
            },
            RecordHandler(.windowDone, as: CollectionOutcome.self) { [unowned self] header, outcome, worker in
                windows.roundEnded(number: header.number, outcome, records: header.subject, worker: worker)
            },
        ]
    }

    var metrics: [any MetricSource] { [windows] }

    func workerStoppedAnswering(_ worker: Int) { windows.workerLost(worker) }
    func endAll() { windows.endAll() }
}
