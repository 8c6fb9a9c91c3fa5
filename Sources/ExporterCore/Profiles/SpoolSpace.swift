// SPDX-License-Identifier: Apache-2.0
import Platform

/// The folder for what clients have not taken yet, and how much of it may be used by all downloads together.
final class SpoolSpace {
    /// Where it is when no folder is set.
    static let defaultFolder = "/tmp"
    /// One in so many parts of the space is for addresses that have no download yet.
    static let partForOthers: UInt64 = 4

    let folder: String
    let maximumBytes: UInt64
    /// Bytes that downloads under way may come to need.
    private(set) var reservedBytes: UInt64 = 0
    private var bytesOfSource: [NetworkSource: UInt64] = [:]
    /// Bytes that have been written to files and not yet been read from them.
    private(set) var spooledBytes: UInt64 = 0
    private(set) var spooledPeakBytes: UInt64 = 0

    /// Opens a file in the folder; for tests that need a broken one.
    let open: @Sendable (String) throws(SystemError) -> UnlinkedFile

    init(
        folder: String?, maximumBytes: UInt64,
        open: @escaping @Sendable (String) throws(SystemError) -> UnlinkedFile = { (folder) throws(SystemError) in
            try UnlinkedFile(folder: folder)
        }
    ) {
        self.folder = folder ?? Self.defaultFolder
        self.maximumBytes = maximumBytes
        self.open = open
    }

    /// Why no file can be made in the folder; nil when one can. May wait for a disk.
    var unusable: SystemError? {
        do throws(SystemError) {
            try open(folder).close()
            return nil
        } catch {
            return error
        }
    }

    /// For one download. An address that has others under way leaves a part to the others; its first one may have all.
    ///
    /// - Parameter ownBytes: what this download has already.
    /// - Returns: false when so much is not left.
    func reserve(_ bytes: UInt64, of source: NetworkSource, ownBytes: UInt64 = 0) -> Bool {
        let hasOthers = bytesOfSource[source] ?? 0 > ownBytes
        let left = maximumBytes - reservedBytes
        let kept = hasOthers ? maximumBytes / Self.partForOthers : 0
        guard left >= kept, bytes <= left - kept else { return false }
        reservedBytes += bytes
        bytesOfSource[source, default: 0] += bytes
        return true
    }

    func release(_ bytes: UInt64, of source: NetworkSource) {
        let had = bytesOfSource[source] ?? 0
        precondition(bytes <= reservedBytes && bytes <= had, "more spool space given back than was reserved")
        reservedBytes -= bytes
        bytesOfSource[source] = had > bytes ? had - bytes : nil
    }

    func wrote(_ bytes: Int) {
        spooledBytes += UInt64(bytes)
        spooledPeakBytes = max(spooledPeakBytes, spooledBytes)
    }

    func consumed(_ bytes: UInt64) {
        precondition(bytes <= spooledBytes, "more was read from spool files than had been written")
        spooledBytes -= bytes
    }
}
