// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import Glibc
import Platform
import TestSupport
import Testing

@testable import BlackBoxReports

struct BundleTests {
    /// The bundle, unpacked by tar(1) into a folder of its own.
    private static func unpacked(_ bundle: IncidentBundle) throws -> (folder: String, files: [String]) {
        let folder = temporaryFolder()
        let file = open("\(folder)/bundle.tar.gz", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try bundle.write {
            (try? SmallFile.writeAll([UInt8]($0), to: file, name: "bundle")) != nil
        }
        close(file)
        let listed = try TestPrograms.run(["/usr/bin/tar", "-xvzf", "\(folder)/bundle.tar.gz", "-C", folder])
        #expect(listed.status == 0, "\(listed.output)")
        return (folder, listed.output.split(separator: "\n").map(String.init))
    }

    private static func content(_ path: String) throws -> String {
        try TestPrograms.run(["/usr/bin/cat", path]).output
    }

    /// An incident's time comes out of a file.
    @Test(arguments: [(Int64.min, "1970-01-01"), (Int64.max, "2242-03-16")])
    func tarArchive_takesAnyTime(seconds: Int64, day: String) throws {
        let file = "\(temporaryFolder())/one.tar"
        let archive = TarArchive.header("name", byteCount: 0, modifiedSeconds: seconds) + TarArchive.end
        try SmallFile.replace(file, with: archive, mode: 0o600)
        let listed = try TestPrograms.run(["/usr/bin/tar", "--utc", "-tvf", file])
        #expect(listed.status == 0 && listed.output.contains("\(day)"), "\(listed.output)")
    }

    @Test func bundle_hasTheFilesOfAnIncident() throws {
        let box = try RecordedBox()
        let node = try box.record("pod-a", ["value"], samples: 20) { _, sample in Double(sample) }
        let other = try box.record("pod-b", ["other"], samples: 3) { _, _ in 1 }
        let long = String(repeating: "p", count: 150)
        try box.store.transaction { () throws(DatabaseError) in
            for (type, bytes) in [("heap", [UInt8](repeating: 7, count: 100_000)), ("goroutine", [])] {
                let listed = ListedProfile(
                    profileID: long, type: type, capturedAtNanoseconds: (beginSeconds + 90) * second, record: [])
                _ = try box.store.storeListing(listed, of: node, listedAtNanoseconds: (beginSeconds + 91) * second)
                if !bytes.isEmpty { try box.store.storeProfileBytes(bytes, of: node, profileID: long, type: type) }
            }
        }
        let incident = try box.incident(.nodeGone, "pod-a", node, at: 200, neighbours: [other])
        let bundle = try #require(try IncidentBundle(of: incident.id, try box.reader()))
        let (folder, files) = try Self.unpacked(bundle)
        let own = "incident-\(incident.id)"
        defer { _ = try? TestPrograms.run(["/usr/bin/rm", "-r", folder]) }
        #expect(
            files == [
                "\(own)/README.txt", "\(own)/incident.json", "\(own)/crash.json", "\(own)/topology.json",
                "\(own)/config.json", "\(own)/metrics.om", "\(own)/neighbours/pod-b.om",
                "\(own)/profiles/\(long)-heap.pprof",
            ])
        let samples = try Self.content("\(folder)/\(own)/metrics.om").split(separator: "\n")
        #expect(samples.count == 22 && samples.first == "# TYPE value unknown" && samples.last == "# EOF")
        #expect(samples[20].hasSuffix(" 19 \(beginSeconds + 190)"))
        #expect(
            try Self.content("\(folder)/\(own)/README.txt").contains("promtool tsdb create-blocks-from openmetrics"))
        #expect(try Self.content("\(folder)/\(own)/crash.json") == "[]")
        let profile = try TestPrograms.run(["/usr/bin/wc", "-c", "\(folder)/\(own)/profiles/\(long)-heap.pprof"])
        #expect(profile.output.hasPrefix("100000 "))
    }

    @Test(arguments: [
        "UPDATE recent_samples SET data = x'00' WHERE number = 2", "UPDATE series_tables SET data = x'00'",
        "UPDATE profiles SET data = x'00'",
    ])
    func bundle_saysThatPartsAreDamaged(damage: String) throws {
        let box = try RecordedBox()
        let node = try box.record("pod-a", ["value"], samples: 5) { _, _ in 1 }
        let listed = ListedProfile(
            profileID: "p", type: "heap", capturedAtNanoseconds: (beginSeconds + 90) * second, record: [])
        try box.store.transaction { () throws(DatabaseError) in
            _ = try box.store.storeListing(listed, of: node, listedAtNanoseconds: (beginSeconds + 91) * second)
            try box.store.storeProfileBytes([1, 2, 3], of: node, profileID: "p", type: "heap")
        }
        let incident = try box.incident(.nodeGone, "pod-a", node, at: 200)
        func files() throws -> [String] {
            let bundle = try #require(try IncidentBundle(of: incident.id, try box.reader()))
            let (folder, files) = try Self.unpacked(bundle)
            _ = try? TestPrograms.run(["/usr/bin/rm", "-r", folder])
            return files
        }
        let whole = try files()
        #expect(!whole.contains { $0.hasSuffix("DAMAGED.txt") })
        try Database(path: BlackBoxFile.path(in: box.folder), access: .readWrite).execute(damage)
        #expect(try files().last == "incident-\(incident.id)/DAMAGED.txt")
    }

    @Test func bundle_ofAnIncidentThatIsNotKnown() throws {
        let box = try RecordedBox()
        #expect(try IncidentBundle(of: "20261130T000000.000Z-0000", try box.reader()) == nil)
    }

    @Test func bundle_ofAnIncidentOfNoNode() throws {
        let box = try RecordedBox()
        let incident = try box.incident(.workerCrashed, "", nil, at: 1, isOpen: false)
        let bundle = try #require(try IncidentBundle(of: incident.id, try box.reader()))
        let (folder, files) = try Self.unpacked(bundle)
        defer { _ = try? TestPrograms.run(["/usr/bin/rm", "-r", folder]) }
        #expect(files.count == 5)
    }

    @Test func bundle_endsWhenNobodyWantsMore() throws {
        let box = try RecordedBox()
        let node = try box.record("pod-a", ["value"], samples: 3) { _, _ in 1 }
        let incident = try box.incident(.nodeGone, "pod-a", node, at: 20)
        let bundle = try #require(try IncidentBundle(of: incident.id, try box.reader()))
        #expect(try bundle.write { _ in false } == false)
    }

    @Test(arguments: [("a/b", "a_b"), ("..", "_."), ("", "_"), ("ä.om", "_.om"), (".ssh", "_ssh")])
    func fileName_cannotLeaveItsFolder(text: String, name: String) {
        #expect(FileName.harmless(text) == name)
    }
}
