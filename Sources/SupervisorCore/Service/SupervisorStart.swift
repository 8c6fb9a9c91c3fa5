// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Platform
import Rings
import Settings

/// The state that a supervisor starts from: settings, and the predecessor's state, passed on by systemd or, after an exec, by the predecessor.
public struct SupervisorStart {
    public let settings: ProxySettings
    public let programs: ProgramPaths
    let given: Set<SettingsFlag>
    let startFlags: [(flag: SettingsFlag, value: String)]
    let inheritance: Inheritance

    /// - Parameters:
    ///   - given: flags whose values somebody has chosen.
    ///   - flags: those of the command line.
    ///   - received: what systemd has handed over.
    public init(
        settings: ProxySettings, given: Set<SettingsFlag>, flags: [(flag: SettingsFlag, value: String)],
        programs: ProgramPaths, received: [ReceivedDescriptor]
    ) {
        self.settings = settings
        self.given = given
        startFlags = flags
        self.programs = programs
        inheritance = Inheritance(received)
    }

    /// After an exec.
    public init(settings: ProxySettings, given: Set<SettingsFlag>, after exec: ProgramHandover) {
        self.settings = settings
        self.given = given
        startFlags = exec.record.startFlags
        programs = exec.exec.programs
        inheritance = Inheritance(exec.record, exec.exec)
    }

    /// Whether a descriptor of this name is one that the service has left with systemd, and no socket of a socket unit.
    public static func isKept(name: String) -> Bool { StoredDescriptorName(name) != nil }

    func makeLock(_ logger: Logger) throws(StartError) -> RuntimeLock? {
        if inheritance.exec != nil { return inheritance.table.descriptor(.lock).map { RuntimeLock(adopting: $0) } }
        guard let folder = settings.runtimeDirectory else { return nil }
        do throws(StartError) {
            return try RuntimeLock(runtimeDirectory: folder)
        } catch {
            try continueWithout(.runtimeDirectory, error, logger)
            return nil
        }
    }

    /// A folder that a flag names is meant, and the start fails without it. One out of the environment may have come with an
    /// image or a chart: the start goes on with what there is.
    func continueWithout(_ flag: SettingsFlag, _ error: StartError, _ logger: Logger) throws(StartError) {
        guard error.kind == .folderUnusable, !startFlags.contains(where: { $0.flag == flag }) else { throw error }
        let loss =
            flag == .stateDirectory
            ? "agent IDs change when the proxy is stopped and started"
            : "fodc-proxy ctl has no control socket, and a second instance is not detected"
        logger.warning(
            "a folder named by the environment cannot be used: \(loss); mount a volume there, or set \(flag.option)",
            metadata: ["reason": "\(error)"])
    }

    /// - Parameter lock: of the folder; `nil`: it cannot be used, as is known already.
    func makeControlServer(
        _ events: EventQueue, lock: RuntimeLock?, _ logger: Logger
    ) throws(StartError) -> ControlServer? {
        if inheritance.exec != nil {
            guard let descriptor = inheritance.table.descriptor(.control) else { return nil }
            return try ControlServer(adopting: descriptor, events: events, firstToken: EventToken.firstControl)
        }
        guard let folder = settings.runtimeDirectory, lock != nil else { return nil }
        do throws(StartError) {
            return try ControlServer(runtimeDirectory: folder, events: events, firstToken: EventToken.firstControl)
        } catch {
            try continueWithout(.runtimeDirectory, error, logger)
            return nil
        }
    }

    func makeInheritedResources(_ logger: Logger) throws(StartError) -> InheritedResources {
        let exec = inheritance.exec
        inheritance.table.closeOnExec()
        let contents = try StoreContents(
            inheritance.table.stored, settings: settings, given: given, isExec: exec != nil)
        for item in contents.dropped {
            guard let reason = item.reason else { continue }
            logger.warning(
                item.isOfAnotherAddress
                    ? "the listen address has changed: discarding the stored socket"
                    : "discarding a stored descriptor that no longer matches the configuration",
                metadata: ["name": "\(item.name)", "reason": "\(reason)"])
        }
        for socket in contents.unchecked {
            logger.warning(
                "\(socket.flag.option) \(socket.address) cannot be resolved; keeping the stored socket",
                metadata: ["name": "\(socket.name)", "reason": "\(socket.reason)"])
        }
        // Above every generation that the store has seen, also of discarded descriptors.
        let seen =
            contents.kept.values.map(\.name.generation)
            + contents.dropped.compactMap { StoredDescriptorName($0.name)?.generation }
        let generation = max(1 + (seen.max() ?? 0), inheritance.record?.nextGeneration ?? 0)
        let secret = exec == nil ? try loadSecret(logger) : nil
        let listeners = try makeListeners(contents, generation, logger)
        contents.closeDropped()
        let rings = try makeRings(contents, secret, generation, logger)
        let control = try makeControl(contents, generation)
        let (recordName, record) = try makeRecord(contents, generation, logger)
        for _ in 0..<contents.refusedCount { control.add(.storeDescriptorsRefused) }
        if !contents.kept.isEmpty, exec == nil {
            logger.notice(
                "continuing with the descriptors that systemd has stored",
                metadata: ["descriptors": "\(contents.kept.count)"])
        }
        let used = Set(rings.all.map(\.name) + [control.name, recordName] + listeners.all.compactMap(\.name))
        let unused = contents.kept.values.filter { !used.contains($0.name) }
        for item in unused { MemoryFile.close(item.descriptor) }
        let new = socketsOfReload
        let stored = contents.kept.values.map(\.name).filter { used.contains($0) && !new.contains($0.place.role) }
        return InheritedResources(
            listeners: listeners, rings: rings, control: control, recordName: recordName, record: record,
            storedNames: Set(stored.map(\.description)),
            obsoleteNames: contents.namesToRemove + unused.map(\.name.description)
                + (exec == nil ? [] : inheritance.record?.obsoleteNames ?? []))
    }

    /// Sockets that were opened for this reload: systemd does not have them yet.
    private var socketsOfReload: Set<StoredDescriptorName.Role> {
        guard let exec = inheritance.exec, let before = inheritance.record?.settings else { return [] }
        let places = ListeningPlace.all.filter { exec.previousSockets[$0.role] != nil || $0.address(before) == nil }
        return Set(places.map(\.role))
    }

    private func makeListeners(
        _ contents: StoreContents, _ generation: UInt64, _ logger: Logger
    ) throws(StartError) -> Listeners {
        var present: [StoredDescriptorName.Role: Listeners.Socket] = [:]
        for role in ListeningPlace.all.map(\.role) {
            if let unit = contents.unitSockets[role] {
                present[role] = Listeners.Socket(descriptor: unit, name: nil)
            } else if let kept = contents[role] {
                present[role] = Listeners.Socket(descriptor: kept.descriptor, name: kept.name)
            }
        }
        func open() throws(StartError) -> Listeners {
            try Listeners.open(settings, present: present, generation: generation)
        }
        var inUse: StartError
        do throws(StartError) {
            return try open()
        } catch {
            guard error.kind == .portInUse else { throw error }
            inUse = error
        }
        stopDroppedSockets(contents)
        // Workers of a supervisor that was killed hold the sockets until the kernel has ended them, too.
        let deadline = MonotonicClock.nowNanoseconds() + Self.portTimeoutNanoseconds
        logger.info("a port is in use: retrying for a second", metadata: ["reason": "\(inUse)"])
        repeat {
            usleep(Self.portRetryMicroseconds)
            do throws(StartError) {
                return try open()
            } catch {
                guard error.kind == .portInUse else { throw error }
                inUse = error
            }
        } while MonotonicClock.nowNanoseconds() < deadline
        throw inUse
    }

    /// The kernel ends orphaned workers in milliseconds; a machine that is very busy takes longer.
    private static let portTimeoutNanoseconds: UInt64 = 1_000_000_000
    private static let portRetryMicroseconds: UInt32 = 20_000

    /// A socket that was dropped goes on listening as long as systemd has it, and keeps its port from one that is to have
    /// another host and the same port. Not before that is needed: until then connections wait in it, whatever else is wrong.
    private func stopDroppedSockets(_ contents: StoreContents) {
        let ports = ListeningPlace.all.compactMap { $0.address(settings)?.port }
        for socket in contents.dropped where StoredDescriptorName(socket.name)?.place.role.isSocket == true {
            guard let address = ListeningSocket.localAddress(of: socket.descriptor),
                ports.contains(where: { address.hasSuffix(":\($0)") })
            else { continue }
            ListeningSocket.stopListening(socket.descriptor)
        }
    }

    private func makeControl(_ contents: StoreContents, _ generation: UInt64) throws(StartError) -> WorkerTable {
        if let kept = contents[.control], let board = try? WorkerTable(kept.name, writable: kept.descriptor) {
            if inheritance.exec == nil { board.set(.serviceStartedAtNanoseconds, MonotonicClock.nowNanoseconds()) }
            return board
        }
        return try WorkerTable(generation: generation)
    }

    private func makeRings(
        _ contents: StoreContents, _ installation: SecretFile?, _ generation: UInt64, _ logger: Logger
    ) throws(StartError) -> RingSet {
        do throws(SystemError) {
            let secret = try makeSecret(contents[.secret], installation, generation, logger)
            func ring(_ role: StoredDescriptorName.Role, _ index: Int, _ kind: RingKind) throws(SystemError) -> Ring {
                if let kept = contents[role, index] { return try Ring(kept.name, writable: kept.descriptor) }
                return try Ring(StoredDescriptorName(role, index, generation: generation), kind: kind)
            }
            let count = (contents.kept.keys.filter { $0.role == .data }.map(\.index).max() ?? -1) + 1
            var ingest: [IngestRings] = []
            for index in 0..<count {
                ingest.append(
                    try IngestRings(
                        index: index, dataRing: ring(.data, index, .data),
                        commandRings: [ring(.commandA, index, .command), ring(.commandB, index, .command)],
                        wakeups: wakeups(index)))
            }
            return RingSet(
                state: try ring(.state, 0, .state), recorder: try ring(.recorder, 0, .state), secret: secret,
                ingest: ingest, nextGeneration: generation + 1)
        } catch {
            throw StartError("cannot create the rings (\(error)); give the service more memory or more descriptors")
        }
    }

    /// Those of an ingest worker that is alive; `nil`: new ones will do.
    private func wakeups(_ index: Int) -> [IngestRings.Wakeup]? {
        let wakeups = (0..<RingSet.parities).compactMap { parity -> IngestRings.Wakeup? in
            guard
                let ingestEnd = inheritance.table.descriptor(.wakeup(index: index, parity: parity, isIngestEnd: true)),
                let exporterEnd = inheritance.table.descriptor(
                    .wakeup(index: index, parity: parity, isIngestEnd: false))
            else { return nil }
            return IngestRings.Wakeup(
                ingestEnd: WakeupChannel(descriptor: ingestEnd), exporterEnd: WakeupChannel(descriptor: exporterEnd))
        }
        return wakeups.count == RingSet.parities ? wakeups : nil
    }

    private func makeRecord(
        _ contents: StoreContents, _ generation: UInt64, _ logger: Logger
    ) throws(StartError) -> (StoredDescriptorName, SharedRecord) {
        if let kept = contents[.record] {
            if inheritance.record == nil {
                logger.warning(
                    "cannot read the previous supervisor's record: restart history and crash attribution start empty")
            }
            return (kept.name, SharedRecord(adopting: kept.descriptor))
        }
        do throws(SystemError) {
            return (StoredDescriptorName(.record, generation: generation), try SharedRecord(name: "fodc-record"))
        } catch {
            throw StartError("cannot create the record for the next start (\(error)); give the service more memory")
        }
    }

    /// How many ingest workers there are to be. Somebody's `scale` holds as long as the flag is what it was then.
    var wantedWorkers: Int {
        guard let fleet = inheritance.record?.fleet, fleet.configured == settings.ingestWorkers else {
            return settings.ingestWorkers
        }
        return fleet.wanted
    }
}
