// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BlackBox
import Database

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints all that is known of an incident, and how to get the samples around it.")

    @OptionGroup var file: FileOption

    @Argument(help: "The id, as `list` prints it.")
    var incident: String

    func run() throws {
        let id = incident
        let found = try file.read { (reader) throws(DatabaseError) in try reader.incident(id) }
        guard let found else {
            throw BlackBoxToolFailure("there is no incident \(id) in \(file.file); `list` prints them")
        }
        let pin = IncidentPin(found)
        var rows = [
            ["id", found.id], ["kind", found.kind.rawValue], ["subject", Shown.text(found.subject)],
            ["cause", Shown.text(found.cause)], ["opened", Shown.time(found.openedAtNanoseconds)],
            ["last", Shown.time(found.lastAtNanoseconds)], ["closed", Shown.time(found.closedAtNanoseconds)],
            ["times", "\(found.occurrenceCount)"],
        ]
        if !found.podName.isEmpty {
            rows += [["pod", Shown.text(found.podName)], ["role", Shown.text(found.role)]]
            rows += [["last sample", Shown.time(found.lastSampleNanoseconds)]]
            rows += [
                ["kept", "\(Shown.time(pin.fromNanoseconds)) to \(Shown.time(pin.untilNanoseconds))"],
                ["samples", "fodc-blackbox export --file \(file.file) --incident \(found.id)"],
            ]
        }
        ToolOutput.write(Shown.table(rows))
    }
}
