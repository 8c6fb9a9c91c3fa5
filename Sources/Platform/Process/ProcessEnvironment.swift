// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Glibc

/// This process's environment variables.
public enum ProcessEnvironment {
    /// The value of one; `nil` if it is not set.
    public static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// All as `NAME=value`, without those of `names`.
    public static func entries(without names: Set<String>) -> [String] {
        var entries: [String] = []
        // The vector ends with nil; nothing in this process changes the environment once it has begun.
        var next = fodc_process_environment()
        while let pointer = next, let text = pointer.pointee {
            let entry = String(cString: text)
            if let name = entry.split(separator: "=", maxSplits: 1).first, !names.contains(String(name)) {
                entries.append(entry)
            }
            next = pointer + 1
        }
        return entries
    }

    /// A path that means the same in any folder; links and dots stay as they are.
    public static func absolutePath(_ path: String) throws(SystemError) -> String {
        guard !path.hasPrefix("/") else { return path }
        let folder = getcwd(nil, 0)
        // getcwd has allocated the text; it is copied before it is freed.
        defer { free(folder) }
        guard let folder else { throw SystemError.last("getcwd") }
        return "\(String(cString: folder))/\(path)"
    }

    /// The path of this process's program, links resolved.
    public static func executablePath() throws(SystemError) -> String {
        let path = realpath("/proc/self/exe", nil)
        // realpath has allocated the text; it is copied before it is freed.
        defer { free(path) }
        guard let path else { throw SystemError.last("realpath /proc/self/exe") }
        return String(cString: path)
    }
}
