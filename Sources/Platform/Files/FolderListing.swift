// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The names of a folder's entries.
public enum FolderListing {
    /// Without `.` and `..`, in no order. Names that are not UTF-8 are left out.
    public static func names(in folder: String) throws(SystemError) -> [String] {
        guard let stream = opendir(folder) else { throw SystemError.last("opendir \(folder)") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            // The entry is valid until the next call, and its name ends with a zero byte inside of the structure.
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let name, name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
