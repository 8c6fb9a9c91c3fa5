// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages
import Settings

/// The exporter's share in the black box: it has agents asked, because the recorder only reads what they answer, and shows how
/// the recorder is doing.
final class RecordingFeature: Feature {
    /// `nil` without a recorder.
    private let timer: RecordingTimer?
    private let questions: QuestionTimer?
    private let watch: BlackBoxWatch?
    let metrics: [any MetricSource]

    init(
        _ context: FeatureContext, _ latest: MetricsFeature, _ windows: WindowsFeature, _ profiles: ProfilesFeature,
        _ sources: ReportSources
    ) throws {
        let core = context.core
        let settings = core.launch.settings
        let collections = latest.collections
        let gaps = GapFiller(
            isBusy: { [windows = windows.windows] in collections.underWay + windows.underWay > 0 },
            ask: { [windows = windows.windows] in _ = windows.collect($0, from: .unknown, $1) })
        let fetcher = ProfileFetcher(line: core.workers, loop: core.loop) { [directory = core.directory] in
            directory.listed()[$0]?.worker(having: .pressureProfiles)
        }
        if settings.records, let folder = settings.blackBoxDirectory {
            let hasAgents = { [directory = core.directory] in directory.hasListed }
            timer = RecordingTimer(
                collections: collections,
                intervalNanoseconds: UInt64(clamping: settings.recordInterval.wholeNanoseconds), loop: core.loop,
                hasAgents: hasAgents)
            questions = QuestionTimer(
                QuestionTimer.questions(lifecycleIntervalNanoseconds: settings.lifecycleInterval.wholeNanoseconds),
                sources: sources, loop: core.loop, isScraping: { collections.underWay > 0 }, hasAgents: hasAgents)
            watch = try BlackBoxWatch(folder: folder, loop: core.loop, logger: core.logger)
            profiles.downloads.background = fetcher
            watch?.onLook = {
                fetcher.found($0.profiles)
                gaps.found($0.minutes)
            }
        } else {
            timer = nil
            questions = nil
            watch = nil
        }
        metrics = [
            RecorderMetrics(
                core.recorder, ownCollections: { [timer] in timer?.started ?? 0 },
                gone: { [watch] in watch?.findings.gone ?? [] }), fetcher, gaps,
        ]
    }

    func start() {
        timer?.start()
        questions?.start()
        watch?.start()
    }

    func retire() { stop() }
    func endAll() { stop() }

    private func stop() {
        timer?.stop()
        questions?.stop()
        watch?.stop()
    }
}
