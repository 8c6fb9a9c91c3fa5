// SPDX-License-Identifier: Apache-2.0

/// Why a process cannot be a worker: one line for its standard error; it then exits with 2.
public struct WorkerLaunchError: Error, Equatable, CustomStringConvertible {
    public let reason: String

    public init(_ reason: String) {
        self.reason = reason
    }

    public var description: String { "\(reason) (this program is started by fodc-proxy, not by hand)" }
}
