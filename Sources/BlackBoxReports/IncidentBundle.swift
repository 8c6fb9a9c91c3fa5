// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Calendar
import Database
import Gzip
import Metrics
import Platform

/// All that is known of an incident as one `.tar.gz` of files that other programs read. It is made piece by piece: the memory
/// that it takes does not depend on its size.
public struct IncidentBundle {
    /// As many as ``DiagnosticsReport`` shows of an agent.
    public static let crashRecordLimit = 64
    /// Packed bytes are handed over when there are so many of them.
    private static let pieceBytes = 64 << 10

    public let incident: Incident
    private let kept: [KeptSamples]
    private let reader: BlackBoxReader
    private let maximumPoints: Int

    /// `nil` when no such incident is known.
    ///
    /// - Parameter maximumPoints: ``ExportQuery/maximumPoints``.
    public init?(
        of id: String, _ reader: BlackBoxReader, maximumPoints: Int = 4 << 20
    ) throws(DatabaseError) {
        guard let incident = try reader.incident(id) else { return nil }
        self.incident = incident
        self.reader = reader
        self.maximumPoints = maximumPoints
        kept = try reader.keptSamples(of: incident)
    }

    /// The name of the file, and of the folder in it.
    public var name: String { "incident-\(FileName.harmless(incident.id))" }

    /// Profiles that a node took near an incident, the newest first.
    public static func profiles(
        of incident: Incident, _ node: Int64, _ reader: BlackBoxReader
    ) throws(DatabaseError) -> [StoredProfile] {
        let pin = IncidentPin(incident)
        let range = pin.fromNanoseconds...max(pin.fromNanoseconds, pin.untilNanoseconds)
        return try reader.profiles(of: node).filter {
            // A node's clock may be ahead, and no capture is from the future.
            range.contains(min($0.capturedAtNanoseconds, $0.listedAtNanoseconds))
        }
    }

    /// Writes the archive.
    ///
    /// - Parameter output: is called with each piece; `false`: nobody wants more.
    /// - Returns: whether all has been written.
    @discardableResult
    public func write(to output: (ArraySlice<UInt8>) -> Bool) throws(DatabaseError) -> Bool {
        let damagedBefore = reader.damagedCount
        let gzip = GzipStream()
        var packed: [UInt8] = []
        func put(_ bytes: [UInt8]) -> Bool {
            gzip.write(bytes.span.bytes, into: &packed)
            guard packed.count >= Self.pieceBytes else { return true }
            defer { packed.removeAll(keepingCapacity: true) }
            return output(packed[...])
        }
        let reports = StoredReports(incident: incident, kept: kept, reader: reader)
        let samples = sampleFiles
        var profiles: [StoredProfile] = []
        if let node = incident.nodeID { profiles = try Self.profiles(of: incident, node, reader) }
        let guide = BundleGuide(incident: incident, hasNeighbours: samples.count > 1)
        guard file("README.txt", Array(guide.text.utf8), put),
            file("incident.json", try reports.incidentJSON(), put),
            file("crash.json", try reports.crashesJSON(), put),
            file("topology.json", try reports.topologyJSON(), put),
            file("config.json", try reports.configurationJSON(), put)
        else { return false }
        for (name, query) in samples {
            guard try sampleFile(name, query, put) else { return false }
        }
        for profile in profiles where profile.byteCount != nil {
            guard try profileFile(profile, put) else { return false }
        }
        if reader.damagedCount > damagedBefore {
            guard file(BundleGuide.damagedFile, Array(BundleGuide.damagedText.utf8), put) else { return false }
        }
        _ = put(TarArchive.end)
        gzip.finish(into: &packed)
        return output(packed[...])
    }

    // MARK: Files

    private func file(_ path: String, _ content: [UInt8], _ put: ([UInt8]) -> Bool) -> Bool {
        put(header(path, byteCount: content.count)) && put(content)
            && put(TarArchive.padding(byteCount: content.count))
    }

    private func header(_ path: String, byteCount: Int) -> [UInt8] {
        TarArchive.header(
            "\(name)/\(path)", byteCount: byteCount,
            modifiedSeconds: EpochTime(nanosecondsSinceEpoch: incident.openedAtNanoseconds).seconds)
    }

    /// `metrics.om` of the incident's node, and a file of each node that it talked to.
    private var sampleFiles: [(path: String, query: ExportQuery)] {
        var names: Set<String> = []
        return kept.map { samples in
            var path = "metrics.om"
            if samples.node.id != incident.nodeID {
                path = "neighbours/\(FileName.harmless(samples.node.podName)).om"
                // Two nodes of one pod, or names that differ in other characters alone.
                if names.contains(path) {
                    path = "neighbours/\(FileName.harmless(samples.node.podName))-\(samples.node.id).om"
                }
            }
            names.insert(path)
            var query = ExportQuery(
                nodes: [samples.node], fromNanoseconds: samples.fromNanoseconds,
                untilNanoseconds: samples.untilNanoseconds, format: .openMetrics)
            query.maximumPoints = maximumPoints
            return (path, query)
        }
    }

    /// A header says how long the content is, so it is made twice: once to count it.
    private func sampleFile(
        _ path: String, _ query: ExportQuery, _ put: ([UInt8]) -> Bool
    ) throws(DatabaseError) -> Bool {
        var byteCount = 0
        try reader.write(try reader.plan(query)) {
            byteCount += $0.count
            return byteCount <= TarArchive.largestBytes
        }
        guard byteCount <= TarArchive.largestBytes else {
            throw DatabaseError(.other, action: "write \(path)", reason: "it has more than 8 GiB")
        }
        guard put(header(path, byteCount: byteCount)) else { return false }
        var left = byteCount
        var isWanted = true
        try reader.write(try reader.plan(query)) {
            left -= $0.count
            guard left >= 0 else { return false }
            isWanted = put($0)
            return isWanted
        }
        guard isWanted else { return false }
        // Retention, or a sample that came just now.
        guard left == 0 else {
            throw DatabaseError(.other, action: "write \(path)", reason: "the samples have changed meanwhile")
        }
        return put(TarArchive.padding(byteCount: byteCount))
    }

    private func profileFile(_ profile: StoredProfile, _ put: ([UInt8]) -> Bool) throws(DatabaseError) -> Bool {
        let bytes = try reader.profile(of: profile.node, profileID: profile.profileID, type: profile.type)
        // Retention may have dropped it meanwhile.
        guard let bytes else { return true }
        let path = "profiles/\(FileName.harmless("\(profile.profileID)-\(profile.type)")).pprof"
        return file(path, bytes, put)
    }
}

/// Names of files that mean the same on every machine.
enum FileName {
    /// Each part of a path is at most so long.
    private static let longest = 200

    /// Every character outside `[A-Za-z0-9._-]` becomes `_`, and so does a dot at the beginning.
    static func harmless(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(longest) {
            switch scalar {
            case "A"..."Z", "a"..."z", "0"..."9", "_", "-": result.unicodeScalars.append(scalar)
            case "." where !result.isEmpty: result.unicodeScalars.append(scalar)
            default: result.append("_")
            }
        }
        return result.isEmpty ? "_" : result
    }
}
