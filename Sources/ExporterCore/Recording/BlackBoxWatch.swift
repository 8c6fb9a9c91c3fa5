// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import FODCProtocol
import Logging
import NIOCore
import Platform
import RingMessages
import Rings

/// Looks into the black box now and then, on a thread of its own, because a look may wait for the disk.
final class BlackBoxWatch {
    /// The findings of one look.
    struct Findings: Sendable {
        /// At most ``BlackBoxWatch/limitGone``, those that went last first.
        var gone: [BlackBoxReader.GoneNode] = []
        var profiles: [WantedProfile] = []
        var minutes: [BlackBoxReader.MissingMinutes] = []
    }

    /// A profile that is to be fetched.
    struct WantedProfile: Hashable, Sendable {
        var agent: AgentID
        var podName: String
        var profileID: String
        var type: String
        var filepath: String
    }

    /// Nodes in the metric of those that are gone.
    static let limitGone = 1_000
    /// More are found by later looks.
    private static let limitProfiles = 32
    private static let limitMinutes = 64
    private static let interval = TimeAmount.seconds(5)

    private let path: String
    private let loop: any EventLoop
    private let thread: JobThread
    private let logger: Logger
    private var lastTrouble: String?
    private var isStopped = false
    private(set) var findings = Findings()
    /// Called on the loop after a look.
    var onLook: (Findings) -> Void = { _ in }

    /// - Parameter folder: of the black box.
    init(folder: String, loop: any EventLoop, logger: Logger) throws(SystemError) {
        path = BlackBoxFile.path(in: folder)
        self.loop = loop
        self.logger = logger
        thread = try JobThread(name: "black-box")
    }

    deinit { thread.stop() }

    func start() { schedule() }
    func stop() { isStopped = true }

    private func schedule() {
        loop.assumeIsolated().scheduleTask(in: Self.interval) { [self] in
            guard !isStopped else { return }
            let finish = NIOLoopBound(end, eventLoop: loop)
            thread.run { [path, loop] in
                let outcome = BlackBoxWatch.look(path)
                loop.execute { finish.value(outcome) }
            }
        }
    }

    private func end(_ outcome: Result<Findings, DatabaseError>) {
        switch outcome {
        case .success(let found):
            lastTrouble = nil
            findings = found
            onLook(found)
        case .failure(let error):
            // The recorder says what is wrong with the file, and its remedy; here only what it costs.
            let trouble = error.cause.rawValue
            if trouble != lastTrouble {
                logger.info(
                    "cannot look into the black box: nothing is fetched for it meanwhile",
                    metadata: ["cause": "\(trouble)", "reason": "\(error)"])
            }
            lastTrouble = trouble
        }
        schedule()
    }

    private static func look(_ path: String) -> Result<Findings, DatabaseError> {
        do throws(DatabaseError) {
            let reader = try BlackBoxReader(path: path)
            return .success(
                Findings(
                    gone: try reader.goneNodes(limit: limitGone),
                    profiles: try reader.missingProfiles(limit: limitProfiles).compactMap(WantedProfile.init),
                    minutes: try reader.missingMinutes(limit: limitMinutes)))
        } catch {
            return .failure(error)
        }
    }
}

extension BlackBoxWatch.WantedProfile {
    /// `nil` when the agent's message does not say where the profile is, or that it is larger than what is stored.
    init?(_ missing: BlackBoxReader.MissingProfile) {
        let message = try? LenientMessage.parse(
            Banyandb_Fodc_V1_StreamPressureProfilesRequest.self, missing.record.span.bytes
        ).message
        guard let agent = AgentID(missing.agentID),
            let profile = message?.record.profiles.first(where: { $0.type == missing.type }),
            profile.sizeBytes <= BlackBoxStore.maximumProfileBytes
        else { return nil }
        self.init(
            agent: agent, podName: missing.podName, profileID: missing.profileID, type: missing.type,
            filepath: profile.filepath)
    }
}
