// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// A run of the installed binaries that asks them whether they would start: `fodc-proxy --check`.
final class ProgramTrial {
    /// It takes some ten milliseconds.
    static let limitNanoseconds: UInt64 = 15_000_000_000
    private static let limitOutputBytes = 4096

    let process: ChildProcess
    private let output: Int32

    init(
        _ programs: ProgramPaths, arguments: [String], environment: [String]
    ) throws(SystemError) {
        output = try MemoryFile.create(name: "fodc-check", byteCount: Self.limitOutputBytes)
        do throws(SystemError) {
            process = try ChildProcess(
                path: programs.executable, arguments: ["fodc-proxy", "--check"] + arguments, environment: environment,
                descriptors: [], output: output)
        } catch {
            MemoryFile.close(output)
            throw error
        }
    }

    deinit { MemoryFile.close(output) }

    /// Its output, in one line.
    var text: String {
        guard let copy = try? MemoryFile.duplicate(output),
            let bytes = try? SmallFile.readAndClose(copy, limitBytes: Self.limitOutputBytes)
        else { return "" }
        let lines = bytes.prefix { $0 != 0 }.split(separator: UInt8(ascii: "\n"))
        return lines.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "; ")
    }
}
