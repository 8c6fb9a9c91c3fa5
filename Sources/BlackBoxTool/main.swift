// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Platform

StandardDescriptors.ensureOpen()

// 0: done; 1: it could not be done; 2: what was asked for makes no sense.
do {
    var command = try BlackBoxCommand.parseAsRoot()
    try command.run()
} catch let failure as BlackBoxToolFailure {
    ToolOutput.writeError("fodc-blackbox: \(failure)\n")
    exit(1)
} catch {
    let code = BlackBoxCommand.exitCode(for: error)
    let message = BlackBoxCommand.fullMessage(for: error)
    if code.isSuccess {
        _ = ToolOutput.write(Array((message + "\n").utf8))
        exit(0)
    }
    if !message.isEmpty { ToolOutput.writeError(message + "\n") }
    exit(code == .validationFailure ? 2 : code.rawValue)
}
