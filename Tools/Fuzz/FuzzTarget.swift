// SPDX-License-Identifier: Apache-2.0

/// One way into the program for bytes of somebody else, with what must hold whatever they are.
public struct FuzzTarget: Sendable {
    public let name: String
    /// Longer inputs reach nothing that shorter ones do not.
    public let limitBytes: Int
    /// Inputs that reach what the target is for; the fuzzer goes on from these.
    public let seeds: @Sendable () throws -> [[UInt8]]
    /// Throws a ``Finding``, or any other error: each is a fault of the program. Traps are faults as well.
    public let run: @Sendable ([UInt8]) throws -> Void

    init(
        _ name: String, limitBytes: Int = 4096, seeds: @escaping @Sendable @autoclosure () throws -> [[UInt8]],
        run: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.name = name
        self.limitBytes = limitBytes
        self.seeds = seeds
        self.run = run
    }

    public static let all: [FuzzTarget] = [
        .metricsLatest, .metricsWindow, .metricsRecords, .answers, .grpcMessages, .grpcConnection, .http2, .httpRequest,
        .httpFields, .texts, .settings, .ringReader, .ringFollower, .workerTable, .ringMessages, .workerMessages,
        .inheritanceRecord, .controlProtocol, .storedNames, .configuration, .certificates, .storedChunks, .blackBox,
        .profiles,
    ]

    public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}
