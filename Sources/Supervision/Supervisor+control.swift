// SPDX-License-Identifier: Apache-2.0
import Exchange
import Glibc
import Logging
import Platform
import Settings
import WorkerLink

/// What people and scripts ask of the running service (`fodc-proxy ctl`).
extension Supervisor {
    func obey(_ request: ControlRequest, _ reply: ControlReply) {
        switch request {
        case .status(let isJSON):
            let status = serviceStatus()
            reply.output(isJSON ? StatusReport.json(status) : StatusReport.text(status))
            reply.succeed()
        case .scale(let count): scale(to: count, reply)
        case .restart(let name): restart(name, reply)
        case .drain(let name): drain(name, reply)
        case .logLevel(let level): setLogLevel(level, reply)
        case .reload(let request): reload(request, reply)
        }
    }

    private func begin(_ operation: Operation, _ reply: ControlReply) {
        if let refusal = whyNot() { return reply.fail(refusal) }
        operation.reply = reply
        begin(operation) { _ in }
    }

    private func scale(to count: Int, _ reply: ControlReply) {
        if let refusal = whyNot() { return reply.fail(refusal) }
        guard !estate.isForeign else {
            return reply.fail(
                "the lanes are of another layout since the reload that failed; reload programs of one version, or restart "
                    + "the service, and scale then")
        }
        guard ingest.prefix(count).contains(where: { $0.life.isReady }) else {
            return reply.fail(
                "none of the ingest workers that would stay serves; bring one back first (ctl restart ingest-0)")
        }
        estate.setWantedWorkers(count, settings: settings, isScaled: true)
        guard count != ingest.count else { return reply.succeed("there are \(count) ingest workers already") }
        begin(Operation(name: "scale \(count)", steps: steps(toScale: count)), reply)
    }

    /// Whether there is such a worker; the asker is told if not.
    private func exists(_ name: WorkerName, _ reply: ControlReply) -> Bool {
        if name.role == .exporter || ingest.indices.contains(name.index) { return true }
        reply.fail("there is no \(name); there are \(present.map(\.name).joined(separator: ", "))")
        return false
    }

    private func restart(_ name: WorkerName, _ reply: ControlReply) {
        guard exists(name, reply) else { return }
        let step = name.role == .exporter ? Operation.Step.replaceExporter : .replaceIngest(name.index)
        begin(Operation(name: "restart \(name)", steps: [step]), reply)
    }

    private func drain(_ name: WorkerName, _ reply: ControlReply) {
        guard exists(name, reply) else { return }
        guard name.role == .ingest else {
            return reply.fail("the exporter cannot be drained: there is one only; restart it instead")
        }
        guard ingest.contains(where: { $0.index != name.index && $0.life.isReady }) else {
            return reply.fail("\(name) cannot be drained: no other ingest worker serves that could take its agents")
        }
        begin(Operation(name: "drain \(name)", steps: [.drainIngest(name.index)]), reply)
    }

    private func setLogLevel(_ level: LogLevel, _ reply: ControlReply) {
        changedLogLevel = level.rawValue
        onLogLevel(level.rawValue)
        for worker in everyone { worker.send(.logLevel(level.rawValue)) }
        logger.notice("log level changed", metadata: ["level": "\(level.rawValue)"])
        reply.succeed("logging from \(level.rawValue) on")
    }

    private func reload(_ request: ReloadRequest, _ reply: ControlReply) {
        // ExecReload= of the unit does not repeat what ExecStart= gave: that counts on.
        let isOfUnit = request.variable(ReloadVariable.name) == String(getpid())
        let start = isOfUnit ? startFlags : []
        let wanted: ProxySettings
        do throws(SettingsError) {
            wanted = try ProxySettings.resolve(
                flags: start + request.knownFlags, environment: request.variable, machine: .current())
        } catch {
            return refuseReload("\(error)", reply)
        }
        // The lock, the control socket and the way to here are in the one folder; of the other comes the secret that is
        // in all ids of agents, which stay what they are.
        for flag in SettingsFlag.allCases where !flag.isReloadable {
            let (present, next) = (settings.text(of: flag), wanted.text(of: flag))
            guard next != present else { continue }
            return refuseReload(
                "\(flag.option) cannot change from \(present ?? "none") to \(next ?? "none") by a reload; restart the "
                    + "service", reply)
        }
        let folder = request.libexecDirectory
        beginReload(
            ReloadOrder(
                settings: wanted,
                arguments: start.map { "\($0.flag.option)=\($0.value)" }
                    + request.arguments.filter { !$0.hasPrefix(ReloadRequest.libexecOption) },
                environment: request.environment.filter { $0.name != ReloadVariable.name }.map { ($0.name, $0.value) },
                programs: ProgramPaths(
                    executable: programs.executable,
                    workerFolder: folder ?? (programs.isWorkerFolderGiven ? programs.workerFolder : nil))), reply: reply
        )
    }
}
