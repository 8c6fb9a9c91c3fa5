// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Platform
import Settings
import Supervision

struct ReloadCommand: CtlSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Takes new programs and changed settings into service, without a gap.",
        usage: "fodc-proxy ctl reload [--flag VALUE | --flag=VALUE]...",
        discussion: """
            This is what "systemctl reload fodc-proxy" runs, with the unit's flags and environment; use that where systemd \
            started the service. By hand, give all flags that the service is to have from now on, and set all FODC_… \
            variables: those that are missing become defaults. (kill -HUP keeps the flags as they are.)

            The new programs are tried first. If something is wrong with them or with a setting, everything stays as it is, \
            and the reason is said here. The runtime and the state folder cannot change, a new listen address needs another \
            port and a numeric host; for those restart the service.
            """)

    @ParentCommand var ctl: CtlCommand
    @OptionGroup var settings: SettingFlags
    @Flag(name: .customLong("json"), help: "The answer as JSON on standard output, for programs.")
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
