// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Platform
import Settings
import SupervisorCore

struct ReloadCommand: CtlSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Switches to new programs and changed settings without losing a scrape.",
        usage: "fodc-proxy ctl reload [--flag VALUE | --flag=VALUE]...",
        discussion: """
            "systemctl reload fodc-proxy" runs this command with the unit's flags and environment; prefer that if systemd \
            started the service. By hand, pass all flags and set all FODC_… variables that the service needs from now on: \
            missing ones become defaults. (kill -HUP keeps the flags as they are.)

            The new programs are checked first. If a program or a setting is wrong, everything stays as it is, and the \
            reason is printed. The runtime and the state folder cannot change, and a new listen address needs another port \
            and a numeric host; restart the service for those.
            """)

    @ParentCommand var ctl: CtlCommand
    @OptionGroup var settings: SettingFlags
    @Flag(name: .customLong("json"), help: "Print the answer as JSON on standard output, for programs.")
    var isJSON = false

    var runtimeDirectory: String? { settings.given.last { $0.flag == .runtimeDirectory }?.value }

    func request() throws -> ControlRequest {
        var given = settings.given
        // Where the service is found is where it stays.
        if runtimeDirectory == nil, let folder = ctl.runtimeDirectory { given.append((.runtimeDirectory, folder)) }
        ProxyProgram.warnOfVariables()
        do throws(SettingsError) {
            _ = try ProxySettings.resolve(flags: given, environment: ProcessEnvironment.value, machine: .current())
        } catch {
            // A mistyped flag is the typist's business. A wrong variable is mostly the service's environment file: the
            // service refuses it, and shows that in its status.
            guard case .environment = error.source else { throw error }
        }
        return .reload(
            ReloadRequest(
                flags: given.map { ReloadRequest.Pair($0.flag.rawValue, $0.value) },
                environment: ReloadRequest.pickEnvironment(ProcessEnvironment.value),
                libexecDirectory: try settings.libexecDirectory.map(ProcessEnvironment.absolutePath)))
    }
}
