// SPDX-License-Identifier: Apache-2.0
import BlackBox
import BlackBoxReports
import Database
import Logging
import Pprof
import Reports
import RingMessages

/// Profiles that agents have taken under memory pressure: their list, and their downloads.
final class ProfilesFeature: Feature {
    private let list: StreamReport
    private let download: DownloadEndpoint
    let downloads: Downloads
    private let views: ProfileViews
    private let logger: Logger

    init(_ context: FeatureContext, _ sources: ReportSources, _ box: BlackBoxAccess?) throws {
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
        ) { filter throws(ReportFailure) in try Self.makeList(filter, lists, sources, box?.path) }
        if box != nil { sources.expectStoreTrouble(of: list.path, [StoredLack.unreadCause], .leftOut) }
        let stored = box.map(StoredProfiles.init)
        views = try ProfileViews(downloads, sources, path: DownloadEndpoint.path, stored)
        download = DownloadEndpoint(lists, downloads, views, sources, stored)
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                path: list.path, summary: "Profiles taken under memory pressure, newest first",
                parameters: [.role, .podName]
            ) { [list] in list.answer($0, AgentFilter($0), $1) },
            Endpoint(
                path: DownloadEndpoint.path, summary: "Download of a profile, for pprof; or as picture, table or data",
                parameters: [
                    .init(name: "pod_name", meaning: "as in /pressure-profiles"),
                    .init(name: "profile_id", meaning: "as in /pressure-profiles"),
                    .init(name: "type", meaning: DownloadEndpoint.types.joined(separator: " or ")),
                    .init(
                        name: "format",
                        meaning: "instead of the agent's bytes: "
                            + ProfileFormat.allCases.map(\.rawValue).joined(separator: ", ")),
                    .init(name: "type", meaning: "in the query: the kind of values that counts, such as inuse_space"),
                    .init(name: "diff", meaning: "profile_id of an earlier capture to compare with"),
                    .init(name: "diff_pod", meaning: "pod of that capture, if it is another"),
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

    var metrics: [any MetricSource] { [downloads, views] }

    func start() { checkSpoolFolder() }
    func workerWasLost(_ worker: Int) { downloads.workerLost(worker) }
    func endAll() { downloads.endAll() }

    private static func makeList(
        _ filter: AgentFilter, _ lists: ProfileLists, _ sources: ReportSources, _ boxPath: String?
    ) throws(ReportFailure) -> StreamReport.Maker.Job {
        let reporters = sources.reporters(filter)
        let known = try lists.known(of: reporters)
        let leftOut = sources.leftOut(.pressureProfiles, of: reporters, known: known.agents)
        return StreamReport.Maker.Job(answers: known.lease) { [decode = known.decode] decoder in
            let (stored, lack) = Self.storedLists(boxPath, filter)
            let report = PressureReport(lists: decode(decoder).map(\.list) + stored)
            return .success(MadeReport(report.json, dropped: report.droppedRecords, leftOut: leftOut, stored: lack))
        }
    }

    /// Captures of agents that are gone. While the database cannot be read those of live agents are listed all the same, and
    /// the answer says that the others are left out.
    private static func storedLists(
        _ boxPath: String?, _ filter: AgentFilter
    ) -> (lists: [PressureReport.List], lack: StoredLack) {
        guard let boxPath else { return ([], StoredLack()) }
        do throws(DatabaseError) {
            return (try GoneNodes.profiles(try BlackBoxReader(path: boxPath), where: filter.matches), StoredLack())
        } catch {
            return ([], StoredLack(isUnread: true))
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
