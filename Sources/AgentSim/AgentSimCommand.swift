// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

@main
struct AgentSimCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fodc-agentsim",
        abstract: "Simulates any number of FODC agents that speak the real protocol with a proxy.",
        subcommands: [RunCommand.self, ValuesCommand.self],
        defaultSubcommand: RunCommand.self)
}
