// SPDX-License-Identifier: Apache-2.0
import BlackBox
import HTTPServer
import NIOCore
import Platform

/// The fleet: `/fleet` for programs, `/ui/` for people.
final class FleetFeature: Feature {
    static let path = "/fleet"

    let list: FleetList
    let history: FleetHistory
    /// `nil`: nothing is recorded.
    private let archive: FleetArchive?

    init(_ context: FeatureContext) throws {
        let settings = context.core.launch.settings
        if settings.records, let folder = settings.blackBoxDirectory {
            archive = try FleetArchive(path: BlackBoxFile.path(in: folder), loop: context.core.loop)
        } else {
            archive = nil
        }
        list = FleetList(directory: context.core.directory)
        history = try FleetHistory(directory: context.core.directory, loop: context.core.loop)
        if let archive {
            list.complete = { [unowned archive] rows in
                archive.records.map { FleetArchive.complete(rows, $0) } ?? rows
            }
        }
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                path: Self.path, summary: "One row a node, failing ones first, those that are gone too",
                parameters: [
                    .init(name: "role", meaning: "only nodes of this role, such as ROLE_DATA"),
                    .init(name: "tier", meaning: "only nodes of this tier: liaison, hot, warm, cold, data"),
                    .init(name: "state", meaning: "gone, unconnected, silent, online, or failing: all but online"),
                    .init(name: "text", meaning: "only nodes that have this text in a name, zone, address or cause"),
                    .init(
                        name: "sort", meaning: "state, name, series, age, memory or cpu; reversed after a minus sign"),
                    .init(name: "limit", meaning: "rows of one answer, \(FleetFilter.usualLimit) if not given"),
                    .init(name: "cursor", meaning: "next_cursor of the answer before"),
                    .init(name: "format", meaning: "json (default) or csv"),
                ]
            ) { [unowned self] request, responder in
                answer(request, responder) { selection, filter in
                    if filter.isCSV {
                        return TaggedAnswer.respond(
                            to: request, responder, contentType: FleetCSV.contentType,
                            headers: [("Content-Disposition", "inline; filename=\"fleet.csv\"")],
                            ByteBuffer(string: FleetCSV.text(selection.rows, history.tracks)))
                    }
                    TaggedAnswer.respond(
                        to: request, responder, contentType: "application/json",
                        ByteBuffer(
                            bytes: FleetReport.json(selection, history.tracks, isRecording: archive != nil)))
                }
            },
            Endpoint(path: "/ui/") { [unowned self] request, responder in
                answer(request, responder) { selection, filter in
                    let page = FleetPage(
                        selection: selection, filter: filter, tracks: history.tracks,
                        nowNanoseconds: WallClock.nowNanoseconds())
                    FleetPage.frame.respond(request, responder) { page.append(to: &$0) }
                }
            },
            Endpoint(path: "/ui/incidents") { [unowned self] request, responder in
                readArchive()
                let page = IncidentsPage(
                    records: archive?.records, isRecording: archive != nil, nowNanoseconds: WallClock.nowNanoseconds())
                IncidentsPage.frame.respond(request, responder) { page.append(to: &$0) }
            },
        ]
    }

    /// Records that were read before are shown now; the next request gets those that are read now.
    private func readArchive() {
        archive?.readIfDue(nowNanoseconds: MonotonicClock.nowNanoseconds()) { [weak list] in list?.invalidate() }
    }

    private func answer(
        _ request: HTTPRequest, _ responder: HTTPResponder, _ make: (FleetSelection, FleetFilter) -> Void
    ) {
        readArchive()
        switch FleetFilter.parse(request) {
        case .failure(let mistake): responder.respond(status: 400, text: mistake.text)
        case .success(let filter): make(FleetSelection(list.rows(), filter, history.tracks), filter)
        }
    }

    /// The first who looks finds what is recorded.
    func start() { readArchive() }

    func ringsWereRead() {
        let now = MonotonicClock.nowNanoseconds()
        if history.readIfDue(nowNanoseconds: now) { list.noteNodes(nowNanoseconds: now) }
    }
}
