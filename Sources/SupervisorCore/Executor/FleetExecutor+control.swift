// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Platform
import Settings
import WorkerLink

/// Requests of people and scripts to the running service (`fodc-proxy ctl`), brought to the fleet.
extension FleetExecutor {
    func dispatch(_ request: ControlRequest, _ reply: ControlReply) {
        switch request {
        case .status(let isJSON):
            let status = serviceStatus()
            reply.output(isJSON ? StatusReport.json(status) : StatusReport.text(status))
            reply.succeed()
        case .scale(let count): bring(.scale(count, owe(reply)))
        case .restart(let name): bring(.restart(name, owe(reply)))
        case .drain(let name): bring(.drain(name, owe(reply)))
        case .logLevel(let level): setLogLevel(level, reply)
        case .reload(let request): bringReload(request, reply)
        case .blackBox:
            guard settings.records, let folder = settings.blackBoxDirectory else {
                return reply.fail(
                    "nothing is recorded: set --black-box-dir, or --state-dir, to a folder, and --record-interval to more "
                        + "than 0")
            }
            reply.succeed("\(folder)/\(Self.blackBoxName)")
        }
    }

    /// `BlackBoxFile.name`, without the database that comes with it.
    private static let blackBoxName = "black-box.db"

    private func setLogLevel(_ level: LogLevel, _ reply: ControlReply) {
        changedLogLevel = level.rawValue
        onLogLevel(level.rawValue)
        processes.sendAll(.logLevel(level.rawValue))
        logger.notice("log level changed", metadata: ["level": "\(level.rawValue)"])
        keepRecord()
        reply.succeed("log level is now \(level.rawValue)")
    }

    private func bringReload(_ request: ReloadRequest, _ reply: ControlReply) {
        do throws(ReloadRefusal) {
            let order = try reload.order(request, settings: settings)
            // One that is under way keeps its own.
            if fleet.rejectionReason == nil { reload.order = order }
            bring(.reload(owe(reply)))
        } catch {
            bring(.reloadRefused(error.reason, owe(reply)))
        }
    }
}
