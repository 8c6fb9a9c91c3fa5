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

    func run() throws { try Self.print(incident, file) }

    static func print(_ incident: String, _ file: FileOption) throws {
        let id = incident
        let found = try file.read { (reader) throws(DatabaseError) in try reader.incident(id) }
        guard let found else { throw BlackBoxToolFailure.unknown(id, file) }
        let pin = IncidentPin(found)
        var rows = [
            ["id", found.id], ["kind", found.kind.rawValue], ["subject", PrintedValue.text(found.subject)],
            ["cause", PrintedValue.text(found.cause)], ["opened", PrintedValue.time(found.openedAtNanoseconds)],
            ["last", PrintedValue.time(found.lastAtNanoseconds)],
            ["closed", PrintedValue.time(found.closedAtNanoseconds)],
            ["times", "\(found.occurrenceCount)"],
        ]
        if !found.podName.isEmpty {
            rows += [["pod", PrintedValue.text(found.podName)], ["role", PrintedValue.text(found.role)]]
            rows += [["last sample", PrintedValue.time(found.lastSampleNanoseconds)]]
            rows += [
                ["kept", "\(PrintedValue.time(pin.fromNanoseconds)) to \(PrintedValue.time(pin.untilNanoseconds))"],
                ["samples", "fodc-blackbox export --file \(file.file) --incident \(found.id)"],
            ]
        }
        rows += [["bundle", "fodc-blackbox bundle --file \(file.file) \(found.id)"]]
        ToolOutput.write(PrintedValue.table(rows))
    }
}
