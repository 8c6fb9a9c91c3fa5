// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Testing

/// Two real processes, by `RingTools stress`: records of all sizes with pauses between, back-pressure, carrying forward.
@Suite struct StressTests {
    @Test(arguments: [UInt64(1), 2])
    func twoProcessesLoseNothingAndMissNoDoorbell(seed: UInt64) throws {
        let program = try folderOfThisProgram() + "/RingTools"
        let (status, output) = try run([program, "stress", "--seconds", "2", "--seed", "\(seed)"])
        #expect(status == 0, "\(output)")
        // A run in which nobody ever slept, or nothing was written, would show nothing.
        let counts = output.split(whereSeparator: { " ,\n".contains($0) })
        let slept = counts.indices.filter { counts[$0] == "slept" }.compactMap { UInt64(counts[$0 + 1]) }
        #expect(slept.count == 2 && slept.allSatisfy { $0 > 0 }, "\(output)")
    }

    private func folderOfThisProgram() throws -> String {
        var path = [UInt8](repeating: 0, count: 4096)
        let count = path.withUnsafeMutableBytes {
            readlink("/proc/self/exe", $0.bindMemory(to: CChar.self).baseAddress!, $0.count)
        }
        guard count > 0 else { throw SystemError.last("readlink") }
        let parts = String(decoding: path[..<count], as: UTF8.self).split(separator: "/").dropLast()
        return "/" + parts.joined(separator: "/")
    }

    private func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SystemError.last("pipe") }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_adddup2(&actions, ends[1], descriptor)
        }
        posix_spawn_file_actions_addclose(&actions, ends[0])
        posix_spawn_file_actions_addclose(&actions, ends[1])
        let pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, arguments[0], &actions, nil, pointers, environ)
        close(ends[1])
        guard code == 0 else { throw SystemError(call: "posix_spawn \(arguments[0])", code: code) }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(ends[0], &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            output += buffer[..<count]
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return (status, String(decoding: output, as: UTF8.self))
    }
}
