// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// Programs that were built beside the tests.
public enum TestPrograms {
    /// The folder of the test program, where the others are, too.
    public static func folder() throws -> String {
        let path = try ProcessEnvironment.executablePath()
        return "/" + path.split(separator: "/").dropLast().joined(separator: "/")
    }

    /// Runs a program to its end; what it writes to both of its streams is one text.
    public static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let (reader, writer) = try closeOnExecPipe()
        defer { close(reader) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_adddup2(&actions, writer, descriptor)
        }
        let pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, arguments[0], &actions, nil, pointers, environ)
        close(writer)
        guard code == 0 else { throw SystemError(call: "posix_spawn \(arguments[0])", code: code) }
        let output = readToEnd(reader)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return (status, String(decoding: output, as: UTF8.self))
    }

    private static func readToEnd(_ descriptor: Int32) -> [UInt8] {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return output }
            output += buffer[..<count]
        }
    }
}
