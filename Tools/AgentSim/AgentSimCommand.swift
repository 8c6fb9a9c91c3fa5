// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Platform

@main
struct AgentSimCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fodc-agentsim",
        abstract: "Simulates any number of FODC agents that speak the real protocol with a proxy.",
        subcommands: [RunCommand.self, ValuesCommand.self],
        defaultSubcommand: RunCommand.self)

    /// As all programs of this project: 2 for wrong usage, 1 for everything else that fails.
    static func main() async {
        StandardDescriptors.ensureOpen()
        do {
            let command = try parseAsRoot()
            if var running = command as? any AsyncParsableCommand {
                try await running.run()
            } else {
                var running = command
                try running.run()
            }
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            let message = Array((fullMessage(for: error) + "\n").utf8)
            _ = write(STDERR_FILENO, message, message.count)
            Glibc.exit(2)
        }
    }
}
