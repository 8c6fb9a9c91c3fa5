// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Metrics

/// Asks agents for minutes that the black box lacks: a window each, one at a time, while nobody scrapes and no other window is
/// collected. The answers pass through the data rings, where the recorder takes them.
final class GapFiller {
    typealias Missing = BlackBoxReader.MissingMinutes

    /// Tries of one gap by this process: a window that an agent has answered is not asked for again.
    static let limitTries = 3
    private static let limitRemembered = 1_024

    enum Outcome: String, CaseIterable {
        case answered, refused
    }

    private let isBusy: () -> Bool
    private let ask: (Windows.Request, @escaping (Windows.Outcome) -> Void) -> Void
    private var tries: [Missing: Int] = [:]
    private var isAsking = false
    private(set) var outcomes: [Outcome: UInt64] = [:]

    /// - Parameters:
    ///   - isBusy: whether agents answer somebody at the moment.
    ///   - ask: has a window collected.
    init(
        isBusy: @escaping () -> Bool, ask: @escaping (Windows.Request, @escaping (Windows.Outcome) -> Void) -> Void
    ) {
        self.isBusy = isBusy
        self.ask = ask
    }

    func found(_ missing: [Missing]) {
        guard !isAsking, !isBusy(), let next = missing.first(where: { tries[$0, default: 0] < Self.limitTries }) else {
            return
        }
        if tries.count >= Self.limitRemembered { tries = [:] }
        tries[next, default: 0] += 1
        isAsking = true
        let request = Windows.Request(
            startNanoseconds: next.fromNanoseconds, endNanoseconds: next.untilNanoseconds,
            filter: SeriesFilter(podName: next.podName))
        ask(request) { [self] outcome in
            isAsking = false
            switch outcome {
            case .done:
                outcomes[.answered, default: 0] += 1
                tries[next] = Self.limitTries
            case .refused: outcomes[.refused, default: 0] += 1
            }
        }
    }
}

extension GapFiller: MetricSource {
    func addMetrics(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_black_box_gap_windows_total", .counter,
            "Windows that agents were asked for because minutes of them are missing in the black box, by outcome.",
            Outcome.allCases.map { ([("outcome", $0.rawValue)], Double(outcomes[$0] ?? 0)) })
    }
}
