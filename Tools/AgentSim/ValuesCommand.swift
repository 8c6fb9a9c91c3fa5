// SPDX-License-Identifier: Apache-2.0

import AgentSimulation
import ArgumentParser

struct ValuesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "values",
        abstract: """
            Prints every series as it leaves the proxy (but for the node_ labels of registrations), with its value and \
            the second for which it holds.
            """)

    @OptionGroup var fleet: FleetOptions

    @Option(help: "Seconds since 1970; now, if not given.")
    var time: Int64?

    func run() throws {
        ValueListing(try fleet.settings()).write(nowSeconds: time) { print($0) }
    }
}
