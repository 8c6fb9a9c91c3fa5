// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Settings
import WorkerLink

/// Why a reload cannot be begun: one line that says what to do.
struct ReloadRefusal: Error {
    let reason: String
}

/// Where a reload is, and what it starts from.
struct ReloadProgress {
    /// Where the programs are, also those of a later version.
    let programs: ProgramPaths
    /// Flags of the service's own command line, which a reload of the unit does not repeat.
    let startFlags: [(flag: SettingsFlag, value: String)]
    /// Of the present settings those that somebody has chosen.
    let given: Set<SettingsFlag>
    /// Before the exec: what is asked for.
    var order: ReloadOrder?
    var trial: ProgramTrial?
    /// After the exec, until all workers are replaced: what there was before.
    var previous: PreviousRelease?
    var last: ReloadOutcome?

    init(_ start: SupervisorStart) {
        (programs, startFlags, given) = (start.programs, start.startFlags, start.given)
    }

    /// Flags and environment of a reload request.
    func order(_ request: ReloadRequest, settings: ProxySettings) throws(ReloadRefusal) -> ReloadOrder {
        // ExecReload= of the unit does not repeat what ExecStart= gave: that counts on.
        let isOfUnit = request.variable(ReloadVariable.name) == String(getpid())
        let start = isOfUnit ? startFlags : []
        let wanted: ProxySettings
        do throws(SettingsError) {
            wanted = try ProxySettings.resolve(
                flags: start + request.knownFlags, environment: request.variable, machine: .current())
        } catch {
            throw ReloadRefusal(reason: "\(error)")
        }
        // The lock, the control socket and the way to here are in the one folder; of the other comes the secret that is
        // in all ids of agents, which stay what they are.
        let folders = [
            (SettingsFlag.runtimeDirectory, settings.runtimeDirectory, wanted.runtimeDirectory),
            (SettingsFlag.stateDirectory, settings.stateDirectory, wanted.stateDirectory),
        ]
        for (flag, present, next) in folders where next != present {
            throw ReloadRefusal(
                reason:
                    "\(flag.option) cannot change from \(present ?? "none") to \(next ?? "none") by a reload; restart the "
                    + "service")
        }
        let folder = request.libexecDirectory
        return ReloadOrder(
            settings: wanted,
            arguments: start.map { "\($0.flag.option)=\($0.value)" }
                + request.arguments.filter { !$0.hasPrefix(ReloadRequest.libexecOption) },
            environment: request.environment.filter { $0.name != ReloadVariable.name }.map { ($0.name, $0.value) },
            programs: ProgramPaths(
                executable: programs.executable,
                workerFolder: folder ?? (programs.isWorkerFolderGiven ? programs.workerFolder : nil)))
    }

    /// New programs, and the settings as they are.
    func orderAsIs(_ settings: ProxySettings) -> ReloadOrder {
        let arguments = settings.flagValues.map { "\($0.flag.option)=\($0.value)" }
        return ReloadOrder(settings: settings, arguments: arguments, environment: nil, programs: programs)
    }
}

extension ReloadOrder {
    /// The environment of the new program, `NAME=value`.
    var entries: [String] {
        guard let environment else { return ProcessEnvironment.entries(without: []) }
        let replaced = ["STATE_DIRECTORY", "RUNTIME_DIRECTORY", "CACHE_DIRECTORY", "TMPDIR"]
        let kept = ProcessEnvironment.entries(without: []).filter { entry in
            let name = entry.prefix { $0 != "=" }
            let isSetting = [SettingsFlag.variablePrefix, SettingsFlag.upstreamVariablePrefix].contains {
                name.hasPrefix($0)
            }
            return !isSetting && !replaced.contains(String(name))
        }
        return kept + environment.map { "\($0.name)=\($0.value)" }
    }
}
