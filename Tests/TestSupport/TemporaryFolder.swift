// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The path of a new empty folder, which the test removes.
public func temporaryFolder() -> String {
    var template = Array("/tmp/fodc-test-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil, "no folder can be made in /tmp")
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The same in memory where there is such a file system: for what is written to the disk, commit after commit.
public func memoryFolder() -> String {
    var template = Array("/dev/shm/fodc-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { return temporaryFolder() }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
