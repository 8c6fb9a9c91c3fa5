// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Platform

StandardDescriptors.ensureOpen()

// 0: done; 1: it could not be done; 2: what was asked for makes no sense.
do {
    var command = try LaneCommand.parseAsRoot()
    try command.run()
} catch let failure as LaneToolFailure {
    StandardStreams.writeError("fodc-lane: \(failure)\n")
    exit(1)
} catch {
    let code = LaneCommand.exitCode(for: error)
    let message = LaneCommand.fullMessage(for: error)
    if code.isSuccess {
        StandardStreams.write(message + "\n")
        exit(0)
    }
    if !message.isEmpty { StandardStreams.writeError(message + "\n") }
    exit(code == .validationFailure ? 2 : code.rawValue)
}
