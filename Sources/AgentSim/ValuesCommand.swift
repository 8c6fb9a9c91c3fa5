// SPDX-License-Identifier: Apache-2.0

import AgentSimulation
import ArgumentParser
import Platform

struct ValuesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "values",
        abstract: "Prints every series that agents send, with its value and the second for which it holds.")

    @OptionGroup var fleet: FleetOptions

    @Option(help: "Seconds since 1970; now, if not given.")
    var time: Int64?

    func run() throws {
        let now = time ?? WallClock.nowNanoseconds() / 1_000_000_000
        ValueListing(try fleet.settings()).write(nowSeconds: now) { print($0) }
    }
}
