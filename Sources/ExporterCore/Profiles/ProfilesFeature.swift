// SPDX-License-Identifier: Apache-2.0
import Exchange
import Logging
import Reports

/// Profiles that agents have taken under memory pressure: their list, and their downloads.
final class ProfilesFeature: Feature {
    private let list: StreamReport
    private let download: DownloadEndpoint
    private let downloads: Downloads
    private let logger: Logger

    init(_ context: FeatureContext, _ sources: ReportSources) throws {
        let core = context.core
        let settings = core.launch.settings
        logger = core.logger
        downloads = try Downloads(
            loop: core.loop, line: core.workers,
            space: SpoolSpace(folder: settings.spoolDirectory, maximumBytes: UInt64(settings.spoolMaxBytes)),
            deliveries: core.deliveries, logger: core.logger)
        let thread = try sources.makeThread("profiles", .profilesThread)
        let lists = ProfileLists(sources, thread)
        list = StreamReport(
            sources, path: "/pressure-profiles", .pressureProfiles, waitNanoseconds: ProfileLists.waitNanoseconds,
            on: thread
        ) { filter throws(ReportFailure) in try Self.makeList(filter, lists, sources) }
        download = DownloadEndpoint(lists, downloads, sources)
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                path: list.path, summary: "Profiles taken under memory pressure, newest first",
                parameters: [.role, .podName]
            ) { [list] in list.answer($0, AgentFilter($0), $1) },
            Endpoint(
                path: DownloadEndpoint.path, summary: "Download of a profile, for pprof",
                parameters: [
                    .init(name: "pod_name", meaning: "as in /pressure-profiles"),
                    .init(name: "profile_id", meaning: "as in /pressure-profiles"),
                    .init(name: "type", meaning: DownloadEndpoint.types.joined(separator: " or ")),
                ], handle: download.handle),
        ]
    }

    var records: [RecordHandler] {
        [
            RecordHandler(.profileChunk) { [unowned self] header, payload, _ in
                downloads.chunkArrived(number: header.number, offset: header.subject, payload)
                return true
            },
            RecordHandler(.fetchEnded, as: FetchEnding.self) { [unowned self] header, ending, _ in
                downloads.ended(number: header.number, ending, byteCount: header.subject)
            },
        ]
    }

    var metrics: [any MetricSource] { [downloads] }

    func start() { checkSpoolFolder() }
    func workerWasLost(_ worker: Int) { downloads.workerLost(worker) }
    func endAll() { downloads.endAll() }

    private static func makeList(
        _ filter: AgentFilter, _ lists: ProfileLists, _ sources: ReportSources
    ) throws(ReportFailure) -> StreamReport.Maker.Job {
        let reporters = sources.reporters(filter)
        let known = try lists.known(of: reporters)
        let leftOut = sources.leftOut(.pressureProfiles, of: reporters, known: known.agents)
        return StreamReport.Maker.Job(answers: known.lease) { [decode = known.decode] decoder in
            let report = PressureReport(lists: decode(decoder).map(\.list))
            return .success(MadeReport(report.json, dropped: report.droppedRecords, leftOut: leftOut))
        }
    }

    /// Somebody should hear of it before the night in which a profile is wanted.
    private func checkSpoolFolder() {
        guard let reason = downloads.space.unusable else { return }
        logger.warning(
            "profiles cannot be downloaded, because the spool folder cannot be used; set --spool-dir to a writable folder",
            metadata: ["folder": "\(downloads.space.folder)", "reason": "\(reason)"])
    }
}
