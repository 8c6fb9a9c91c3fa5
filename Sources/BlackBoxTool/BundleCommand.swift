// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BlackBox
import BlackBoxReports
import Database
import Glibc
import Platform

struct BundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract: "Writes all that is known of an incident as one .tar.gz, as /incidents/{id}/bundle does.")

    @OptionGroup var file: FileOption

    @Argument(help: "The id, as `incidents` prints it.")
    var incident: String

    @Option(
        help: ArgumentHelp(
            "Where to write it: a new file, or - for standard output. Default: incident-ID.tar.gz in this folder.",
            valueName: "path"))
    var output: String?

    func run() throws {
        let id = incident
        let written = try file.read { (reader) throws(DatabaseError) -> Result<String, BlackBoxToolFailure>? in
            guard let bundle = try IncidentBundle(of: id, reader) else { return nil }
            let path = output ?? "\(bundle.name).tar.gz"
            do throws(BlackBoxToolFailure) {
                let target = try BundleTarget(path)
                guard try target.write(bundle) else { throw BlackBoxToolFailure("cannot write \(path)") }
            } catch {
                return .failure(error)
            }
            return .success(path)
        }
        guard let written else {
            throw BlackBoxToolFailure("there is no incident \(id) in \(file.file); `incidents` prints them")
        }
        let path = try written.get()
        if path != BundleTarget.standardOutput { ToolOutput.write([path]) }
    }
}

/// Where a bundle goes. A file that could not be written to its end is removed.
private struct BundleTarget {
    static let standardOutput = "-"

    private let path: String
    private let descriptor: Int32

    /// A file that is there stays as it is.
    init(_ path: String) throws(BlackBoxToolFailure) {
        self.path = path
        guard path != Self.standardOutput else {
            descriptor = STDOUT_FILENO
            return
        }
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw BlackBoxToolFailure("\(SystemError.last("open \(path)")); give --output another path")
        }
    }

    /// - Returns: whether all of it was written.
    func write(_ bundle: IncidentBundle) throws(BlackBoxToolFailure) -> Bool {
        var isComplete = false
        defer {
            if descriptor != STDOUT_FILENO {
                close(descriptor)
                if !isComplete { unlink(path) }
            }
        }
        do throws(DatabaseError) {
            isComplete = try bundle.write { bytes in
                (try? SmallFile.writeAll([UInt8](bytes), to: descriptor, name: path)) != nil
            }
        } catch {
            throw BlackBoxToolFailure("\(error)")
        }
        return isComplete
    }
}
