// SPDX-License-Identifier: Apache-2.0

/// Makes the answers of one agent.
struct AnswerMaker {
    enum Series {
        case planned(TemplateSet)
        case scraped(ScrapedSeriesStore)
    }

    let identity: SimulatedIdentity
    let keys: AnswerKeys
    let source: ValueSource
    let schedule: RecordingSchedule
    let series: Series
    let sendsOddMetrics: Bool
    private var generator: SimulationGenerator

    init(
        identity: SimulatedIdentity, source: ValueSource, schedule: RecordingSchedule, series: Series,
        sendsOddMetrics: Bool, seed: UInt64
    ) {
        self.identity = identity
        self.source = source
        self.schedule = schedule
        self.series = series
        self.sendsOddMetrics = sendsOddMetrics
        keys = AnswerKeys(podName: identity.podName, seed: seed)
        generator = SimulationGenerator(seed: keys.movingKey)
    }

    mutating func answer(_ request: MetricsRequest, nowNanoseconds: Int64) -> AnswerCursor {
        let nowSeconds = nowNanoseconds / 1_000_000_000
        let points =
            switch request {
            case .latest: [schedule.latest(nowSeconds: nowSeconds)]
            case .window(let from, let through): schedule.points(from: from, through: through, nowSeconds: nowSeconds)
            }
        var templates: TemplateSet?
        var extra: (bytes: [UInt8], sampleCount: Int) = ([], 0)
        switch series {
        case .planned(let set): templates = set
        case .scraped(let store): extra = store.encoded(for: identity, request, using: &generator)
        }
        if sendsOddMetrics {
            for seconds in points {
                let odd = OddMetrics.encoded(for: identity, seconds: seconds, using: &generator)
                extra.bytes += odd.bytes
                extra.sampleCount += odd.sampleCount
            }
        }
        return AnswerCursor(
            templates: templates, keys: keys, source: source, points: points, extra: extra,
            nowNanoseconds: nowNanoseconds, seed: generator.next())
    }
}
