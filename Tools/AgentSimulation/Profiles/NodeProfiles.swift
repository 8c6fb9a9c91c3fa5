// SPDX-License-Identifier: Apache-2.0

import Calendar
import FODCProtocol

/// The profiles that a node's agent has taken when memory was short.
struct NodeProfiles: Sendable {
    static let types = ["heap", "goroutine"]
    /// Of every goroutine profile: these do not grow with the heap.
    static let goroutineProfileBytes = 48 << 10
    private static let spacingSeconds: Int64 = 11 * 3600
    private static let cgroupLimitBytes: UInt64 = 4 << 30
    private static let triggerPercent: UInt32 = 75

    let podName: String
    let count: Int
    let heapBytes: Int
    let seed: UInt64

    /// Oldest first.
    var records: [Banyandb_Fodc_V1_PressureProfileRecord] {
        (0..<count).map { number in
            let id = profileID(number)
            var record = Banyandb_Fodc_V1_PressureProfileRecord()
            record.profileID = id
            record.capturedAt = .init(nanoseconds: capturedSeconds(number) * 1_000_000_000)
            record.sourceEndpoint = "http://localhost:6060"
            record.cgroupLimitBytes = Self.cgroupLimitBytes
            record.triggerPercent = Self.triggerPercent
            record.thresholdBytes = Self.cgroupLimitBytes / 100 * UInt64(Self.triggerPercent)
            record.rssBytes = record.thresholdBytes + StableHash.key("\(podName)/\(id)/rss", seed: seed) % (256 << 20)
            record.profiles = Self.types.map { type in
                var info = Banyandb_Fodc_V1_PressureProfileInfo()
                info.type = type
                info.filename = "\(type).pprof"
                info.filepath = "/tmp/pressure-profiles/\(id)/\(type).pprof"
                info.format = "pprof"
                info.sizeBytes = Int64(byteCount(of: type))
                return info
            }
            return record
        }
    }

    /// `nil` if there is no such profile.
    func content(profileID: String, type: String) -> ProfileContent? {
        guard Self.types.contains(type), let number = (0..<count).first(where: { self.profileID($0) == profileID })
        else { return nil }
        let profile = GoProfile(
            podName: podName, type: type, number: number, capturedSeconds: capturedSeconds(number), seed: seed)
        // Its texts are the program's own: it can always be written.
        guard let bytes = try? profile.bytes else { return nil }
        return ProfileContent(
            podName: podName, profileID: profileID, type: type, seed: seed, byteCount: byteCount(of: type),
            profile: bytes)
    }

    private func byteCount(of type: String) -> Int {
        type == "heap" ? heapBytes : Self.goroutineProfileBytes
    }

    private func profileID(_ number: Int) -> String {
        CivilTime(secondsSinceEpoch: capturedSeconds(number)).compact
    }

    private func capturedSeconds(_ number: Int) -> Int64 {
        let drawn = StableHash.key("\(podName)/profile/\(number)", seed: seed) % UInt64(Self.spacingSeconds)
        return ValueModel.originSeconds + Int64(number) * Self.spacingSeconds + Int64(drawn)
    }
}
