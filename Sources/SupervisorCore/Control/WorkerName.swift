// SPDX-License-Identifier: Apache-2.0
import WorkerLink

/// A worker as people name it: `ingest-3`, `exporter`. Whether there is such a worker is another question.
public struct WorkerName: Hashable, Sendable, CustomStringConvertible {
    public let role: WorkerRole
    public let index: Int

    public init(_ role: WorkerRole, _ index: Int = 0) {
        (self.role, self.index) = (role, index)
    }

    public init?(_ text: String) {
        for role in WorkerRole.allCases {
            let count = role.isSingle ? 1 : WorkerLaunch.limitWorkers
            for index in 0..<count where WorkerLaunch.name(role, index) == text {
                self.init(role, index)
                return
            }
        }
        return nil
    }

    public var description: String { WorkerLaunch.name(role, index) }
}
