// SPDX-License-Identifier: Apache-2.0
import Platform

/// Files that one value was made of, with their contents as they were read: the next look compares them.
///
/// Contents are compared, not times: a renewal within one tick of the file system's clock is seen, and so is one behind the
/// symbolic links with which Kubernetes mounts secrets.
public struct ReadFiles: Sendable {
    /// Above the largest chain or list of authorities that anybody has (Debian's whole trust store has 220 KiB).
    public static let limitBytes = 1 << 20

    private struct File: Equatable {
        let path: String
        /// nil: it could not be read.
        let bytes: [UInt8]?
    }

    private var files: [File] = []

    public init() {}

    public var paths: [String] { files.map(\.path) }

    /// The folders that the files are in, for a process that may open no others. A file that is replaced by a rename is another
    /// file, so folders are named: also those of what symbolic links point to, as certbot's do.
    public var folders: [String] {
        Set(paths.flatMap { [$0, RealPath.of($0)].compactMap(\.self) }.map(Self.folder)).sorted()
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The content of a file, which is noted, also when it cannot be used.
    public mutating func read(_ path: String, limitBytes: Int = limitBytes) throws(ConfigurationFileError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try SmallFile.read(path, limitBytes: limitBytes + 1)
        } catch {
            files.append(File(path: path, bytes: nil))
            throw ConfigurationFileError("\(path) cannot be read: \(error.reason)")
        }
        files.append(File(path: path, bytes: bytes))
        guard bytes.count <= limitBytes else {
            throw ConfigurationFileError("\(path) is larger than \(limitBytes) bytes")
        }
        return bytes
    }

    /// Whether each file is as it was read.
    public func areUnchanged() -> Bool {
        files.allSatisfy { file in
            let bytes = try? SmallFile.read(file.path, limitBytes: (file.bytes?.count ?? Self.limitBytes) + 1)
            return bytes == file.bytes
        }
    }
}

extension ReadFiles: Equatable {}

/// A file that cannot be used: a sentence that names the file, the place in it and the remedy.
public struct ConfigurationFileError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
