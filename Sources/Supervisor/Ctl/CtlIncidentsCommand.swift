// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Platform
import SupervisorCore

/// Asks the service where its black box is, and has `fodc-blackbox` read it: the supervisor reads no database, and the answer is
/// there whatever state the workers are in.
struct CtlIncidentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incidents",
        abstract: "Prints what happened to nodes: incidents, the newest first, or all that is known of one.",
        discussion: """
            It runs fodc-blackbox on the service's black box; that program does the same without a service.

              fodc-proxy ctl incidents
              fodc-proxy ctl incidents --kind node-gone --json
              fodc-proxy ctl incidents 20261130T021316.123Z-00ab
              fodc-proxy ctl incidents 20261130T021316.123Z-00ab --bundle
            """)

    @ParentCommand var ctl: CtlCommand
    @OptionGroup var options: CtlOptions

    @Argument(help: "The id of one incident.")
    var incident: String?

    @Option(help: ArgumentHelp("Only of this kind, such as node-gone.", valueName: "kind"))
    var kind: String?

    @Option(help: ArgumentHelp("Only of this pod.", valueName: "name"))
    var pod: String?

    @Flag(help: "Write the incident's bundle, incident-ID.tar.gz, into this folder.")
    var bundle = false

    func validate() throws {
        guard !bundle || incident != nil else { throw ValidationError("--bundle needs the id of an incident") }
    }

    private static let tool = "fodc-blackbox"

    /// The arguments of the tool, without the program's name.
    func arguments(file: String) -> [String] {
        var arguments = [bundle ? "bundle" : "incidents", "--file", file]
        if let kind { arguments += ["--kind", kind] }
        if let pod { arguments += ["--pod", pod] }
        if options.isJSON, !bundle { arguments.append("--json") }
        // Behind it an id that begins with a dash is taken as an id.
        if let incident { arguments += ["--", incident] }
        return arguments
    }

    /// Returns the exit code if the service knows of no black box; otherwise this process becomes the tool.
    func become() throws -> Int32 {
        let folder = options.runtimeDirectory ?? ctl.runtimeDirectory ?? CtlCommand.folderOfEnvironment
        var said: [UInt8] = []
        let code = try ControlClient.ask(.blackBox, runtimeDirectory: folder) { bytes, isError in
            if isError {
                try? SmallFile.writeAll(bytes, to: STDERR_FILENO, name: "output")
            } else {
                said += bytes
            }
        }
        guard code == 0 else { return code }
        let file = String(decoding: said.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        let program = try Self.toolPath()
        let error = ProgramChange.become(
            path: program, arguments: [program] + arguments(file: file),
            environment: ProcessEnvironment.entries(without: []),
            keep: [])
        throw error
    }

    /// Beside this program, where builds have it, or where the package puts it.
    private static func toolPath() throws -> String {
        let own = try ProcessEnvironment.executablePath()
        let folder = own.lastIndex(of: "/").map { String(own[..<$0]) } ?? ""
        let candidates = ["\(folder)/\(tool)", "/usr/bin/\(tool)"]
        guard let path = candidates.first(where: { access($0, X_OK) == 0 }) else {
            throw ControlClient.Failure(description: "\(tool) is missing: not in \(folder) and not in /usr/bin")
        }
        return path
    }
}
