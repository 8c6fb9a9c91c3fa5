// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Glibc
import Metrics
import Platform
import RingMessages
import TestSupport
import Testing

@testable import ExporterCore

/// Answers say what they lack of what the black box has.
struct StoredLackTests {
    /// A folder with a database that has one node of a pod, and its samples under a table that is damaged.
    private final class Folder {
        let path = memoryFolder()

        func record() throws {
            let store = try BlackBoxStore(folder: path)
            let record = NodeRecord(
                identity: AgentIdentity(podName: "pod-0", containerNames: ["data"]), agentID: "id", role: "ROLE_DATA",
                labels: [], address: "10.0.0.1:1")
            let node = try store.storeNode(record, seenAtNanoseconds: 1)
            let table = try store.storeTable([UInt8](repeating: 1, count: 100), seriesCount: 1)
            try store.append(
                SampleColumns(
                    receivedAtNanoseconds: 1, commonTimeMicroseconds: 0, valueBits: [0], timesMicroseconds: []),
                node: node, table: table)
            let profile = ListedProfile(profileID: "p-1", type: "heap", capturedAtNanoseconds: 1, record: [])
            _ = try store.storeListing(profile, of: node, listedAtNanoseconds: 1)
            try store.storeProfileBytes([1, 2, 3], of: node, profileID: "p-1", type: "heap")
        }

        deinit {
            for name in (try? FolderListing.names(in: path)) ?? [] { unlink("\(path)/\(name)") }
            rmdir(path)
        }
    }

    private func count(_ scrape: String, _ path: String, _ cause: String, _ outcome: String) -> String? {
        let name = "fodc_proxy_partial_answers_total{cause=\"\(cause)\",outcome=\"\(outcome)\",path=\"\(path)\"} "
        return scrape.split(separator: "\n").first { $0.hasPrefix(name) }.map { String($0.dropFirst(name.utf8.count)) }
    }

    /// The answer to a question for which the worker is asked and has nothing to say.
    private func ask(_ path: String, _ harness: ExporterHarness, _ worker: FakeIngest) throws -> String {
        let client = harness.ask(path)
        try worker.end(try worker.awaitCommand())
        return harness.answer(of: client)
    }

    @Test func pressureProfiles_sayThatStoredOnesAreLeftOut() throws {
        let folder = Folder()
        let harness = try ExporterHarness(blackBox: folder.path)
        let worker = try FakeIngest(0)
        try harness.start([worker])
        let unread = try ask("/pressure-profiles", harness, worker)
        #expect(unread.hasPrefix("HTTP/1.1 200") && unread.contains("\r\nX-Fodc-Black-Box-Left-Out: unreadable\r\n"))
        #expect(count(try harness.scrape([worker]), "/pressure-profiles", "unreadable", "left_out") == "1")
        try folder.record()
        let whole = try ask("/pressure-profiles", harness, worker)
        #expect(whole.hasPrefix("HTTP/1.1 200") && !whole.contains("X-Fodc-"))
        #expect(count(try harness.scrape([worker]), "/pressure-profiles", "unreadable", "left_out") == "1")
    }

    @Test func download_isNotReportedMissingWhenTheDatabaseCannotBeRead() throws {
        let folder = Folder()
        let harness = try ExporterHarness(blackBox: folder.path)
        let worker = try FakeIngest(0)
        try harness.start([worker])
        let path = "/pressure-profiles/pod-0/p-1/heap"
        let refused = harness.get(path)
        #expect(refused.hasPrefix("HTTP/1.1 503") && refused.contains("\r\nRetry-After: "))
        let scrape = try harness.scrape([worker])
        #expect(count(scrape, "/pressure-profiles/{pod_name}/{profile_id}/{type}", "unreadable", "refused") == "1")
        try folder.record()
        #expect(harness.get(path).hasPrefix("HTTP/1.1 200"))
        #expect(harness.get("/pressure-profiles/pod-0/p-2/heap").hasPrefix("HTTP/1.1 404"))
    }

    @Test(arguments: [
        ("/black-box/pod-0", "/black-box/{pod_name}"), ("/black-box/pod-0/summary", "/black-box/{pod_name}/summary"),
    ])
    func blackBox_countsDamagedParts(path: String, name: String) throws {
        let folder = Folder()
        try folder.record()
        let harness = try ExporterHarness(blackBox: folder.path)
        let worker = try FakeIngest(0)
        try harness.start([worker])
        let answer = harness.get(path)
        #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains("\r\nX-Fodc-Parts-Damaged: 1\r\n"), "\(answer)")
        #expect(count(try harness.scrape([worker]), name, "damaged", "left_out") == "1")
        let nodes = harness.get("/black-box")
        #expect(nodes.hasPrefix("HTTP/1.1 200") && !nodes.contains("X-Fodc-"))
    }
}
