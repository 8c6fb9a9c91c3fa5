// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Platform
import RingMessages

/// Asks agents now and then what they have to say on streams that nobody has asked of late: the recorder keeps what differs.
/// One question at a time, and none while agents answer a scrape.
final class QuestionTimer {
    struct Question: Equatable {
        var stream: AgentStream
        var intervalNanoseconds: UInt64
        var waitNanoseconds: UInt64
    }

    private static let step = TimeAmount.seconds(5)
    /// With scrapes under way at each look a question is asked all the same after so many.
    private static let mostDelays = 3

    private let sources: ReportSources
    private let loop: any EventLoop
    private let isScraping: () -> Bool
    private let hasAgents: () -> Bool
    private let questions: [Question]
    private var delays = 0
    private var isAsking = false
    private var isStopped = false

    /// - Parameter questions: in the order of their weight.
    init(
        _ questions: [Question], sources: ReportSources, loop: any EventLoop, isScraping: @escaping () -> Bool,
        hasAgents: @escaping () -> Bool
    ) {
        self.questions = questions
        self.sources = sources
        self.loop = loop
        self.isScraping = isScraping
        self.hasAgents = hasAgents
    }

    /// Topologies and configurations are short, and lists of captures tell of a node in trouble. A
    /// lifecycle report costs an agent more, and `--lifecycle-interval` asks for it anyway.
    static func questions(lifecycleIntervalNanoseconds lifecycle: Int64) -> [Question] {
        let (minute, second): (UInt64, UInt64) = (60_000_000_000, 1_000_000_000)
        var questions = [
            Question(stream: .pressureProfiles, intervalNanoseconds: minute, waitNanoseconds: 10 * second),
            Question(stream: .crashDiagnostics, intervalNanoseconds: minute, waitNanoseconds: 2 * second),
            Question(stream: .topology, intervalNanoseconds: minute, waitNanoseconds: 10 * second),
            Question(stream: .configuration, intervalNanoseconds: minute, waitNanoseconds: 10 * second),
        ]
        if lifecycle == 0 {
            questions.append(
                Question(stream: .lifecycle, intervalNanoseconds: 5 * minute, waitNanoseconds: 50 * second))
        }
        return questions
    }

    func start() { schedule() }

    /// A successor asks from now on.
    func stop() { isStopped = true }

    private func schedule() {
        loop.assumeIsolated().scheduleTask(in: Self.step) { [self] in
            guard !isStopped else { return }
            look(nowNanoseconds: MonotonicClock.nowNanoseconds())
            schedule()
        }
    }

    private func look(nowNanoseconds now: UInt64) {
        guard !isAsking, hasAgents(), let question = due(nowNanoseconds: now) else { return }
        if isScraping(), delays < Self.mostDelays {
            delays += 1
            return
        }
        delays = 0
        isAsking = true
        sources.collect(question.stream, AgentFilter(), waitNanoseconds: question.waitNanoseconds) { [self] _ in
            isAsking = false
        }
    }

    /// Of those that are due the one that has been for longest.
    private func due(nowNanoseconds now: UInt64) -> Question? {
        questions.filter { question in
            guard let last = sources.collections.lastWholeNanoseconds(of: question.stream) else { return true }
            return now - min(now, last) >= question.intervalNanoseconds
        }.min {
            (sources.collections.lastWholeNanoseconds(of: $0.stream) ?? 0)
                < (sources.collections.lastWholeNanoseconds(of: $1.stream) ?? 0)
        }
    }
}
