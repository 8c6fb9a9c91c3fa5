// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// Where the kernel puts cores (core(5)).
enum CorePattern {
    private static let path = "/proc/sys/kernel/core_pattern"

    /// The folder, as a process of the present working folder sees it; `nil`: a program takes them, or nobody says.
    static var folder: String? {
        guard let bytes = try? SmallFile.read(path) else { return "." }
        return folder(of: String(decoding: bytes, as: UTF8.self))
    }

    static func folder(of pattern: String) -> String? {
        let pattern = pattern.prefix { $0 != "\n" }
        guard !pattern.hasPrefix("|") else { return nil }
        guard let slash = pattern.lastIndex(of: "/") else { return "." }
        return slash == pattern.startIndex ? "/" : String(pattern[..<slash])
    }
}
