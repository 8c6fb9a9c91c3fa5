// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Platform

StandardDescriptors.ensureOpen()

// 0: done; 1: it could not be done; 2: what was asked for makes no sense.
do {
    var command = try RingCommand.parseAsRoot()
    try command.run()
} catch let failure as RingToolFailure {
    StandardStreams.writeError("fodc-ring: \(failure)\n")
    exit(1)
} catch {
    let code = RingCommand.exitCode(for: error)
    let message = RingCommand.fullMessage(for: error)
    if code.isSuccess {
        StandardStreams.write(message + "\n")
        exit(0)
    }
    if !message.isEmpty { StandardStreams.writeError(message + "\n") }
    exit(code == .validationFailure ? 2 : code.rawValue)
}
