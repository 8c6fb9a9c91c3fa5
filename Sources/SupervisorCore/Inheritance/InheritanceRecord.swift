// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Platform
import Settings
import WorkerLink

/// The state of a supervisor that its successor needs and that is in no ring: one record, in shared memory beside the table of
/// workers. The program that an exec brings and the supervisor that systemd starts again read the same one; after an exec
/// the processes in it are alive, and `exec` tells of them.
struct InheritanceRecord: BinaryMessage {
    /// To be raised when a program of the version before would not understand it, or the other way round.
    static let version: UInt8 = 4

    struct Exec {
        /// Of the supervisor, which an exec leaves as it is.
        var processID: Int32
        /// The command line that stands for the settings from now on; the next program reads it with the environment.
        var arguments: [String]
        var programs: ProgramPaths
        /// Of the workers' programs in service.
        var workerFolder: String
        var pids: [FleetProcess.ID: Int32]
        /// Under which systemd keeps the sockets that are listened on until all workers are replaced.
        var previousSockets: [StoredDescriptorName.Role: StoredDescriptorName?]
        var descriptors: [ReceivedDescriptor]
    }

    var fleet: Fleet
    /// Where the supervisor's clock stood, and CLOCK_MONOTONIC at that moment.
    var steadyNanoseconds: UInt64
    var monotonicNanoseconds: UInt64
    /// In service, to go back to when a reload fails.
    var settings: ProxySettings
    /// Flags of the service's own command line, which a reload of the unit does not repeat.
    var startFlags: [(flag: SettingsFlag, value: String)]
    /// Somebody has changed it at run time.
    var logLevel: String?
    /// Of the next descriptor that is stored; above every one that was.
    var nextGeneration: UInt64
    /// Names that are still to be taken out of systemd's store.
    var obsoleteNames: [String]
    var exec: Exec?

    /// The clock goes on as if the supervisor had been there.
    func steadyNanoseconds(atMonotonic now: UInt64) -> UInt64 {
        steadyNanoseconds + (now - min(now, monotonicNanoseconds))
    }

    // MARK: Bytes

    func encode(into record: inout BinaryWriter) {
        fleet.write(to: &record)
        record.append(steadyNanoseconds)
        record.append(monotonicNanoseconds)
        record.append(list: settings.flagValues, Self.put)
        record.append(list: startFlags, Self.put)
        record.append(optional: logLevel) { $0.append($1) }
        record.append(nextGeneration)
        record.append(list: obsoleteNames) { $0.append($1) }
        record.append(optional: exec) { $1.write(to: &$0) }
    }

    private static func put(_ record: inout BinaryWriter, _ pair: (flag: SettingsFlag, value: String)) {
        record.append(pair.flag.rawValue)
        record.append(pair.value)
    }

    init(
        fleet: Fleet, steadyNanoseconds: UInt64, monotonicNanoseconds: UInt64, settings: ProxySettings,
        startFlags: [(flag: SettingsFlag, value: String)], logLevel: String?, nextGeneration: UInt64,
        obsoleteNames: [String], exec: Exec? = nil
    ) {
        (self.fleet, self.settings, self.startFlags) = (fleet, settings, startFlags)
        (self.steadyNanoseconds, self.monotonicNanoseconds) = (steadyNanoseconds, monotonicNanoseconds)
        (self.logLevel, self.nextGeneration, self.obsoleteNames) = (logLevel, nextGeneration, obsoleteNames)
        self.exec = exec
    }

    init(from record: inout BinaryReader) throws(BinaryError) {
        fleet = try Fleet(from: &record)
        (steadyNanoseconds, monotonicNanoseconds) = (try record.integer(UInt64.self), try record.integer(UInt64.self))
        guard steadyNanoseconds < .max / 2, monotonicNanoseconds < .max / 2 else {
            throw .invalidValue("a clock is at its end")
        }
        let values = try Self.flags(&record)
        guard let settings = try? ProxySettings(flagValues: values) else {
            throw .invalidValue("the settings are missing")
        }
        self.settings = settings
        startFlags = try Self.flags(&record)
        logLevel = try record.optional { (record) throws(BinaryError) in try record.text() }
        nextGeneration = try record.integer(UInt64.self)
        guard (1..<UInt64.max / 2).contains(nextGeneration) else {
            throw .invalidValue("the next generation is \(nextGeneration)")
        }
        obsoleteNames = try record.list(ofAtLeast: 4) { (record) throws(BinaryError) in try record.text() }
        exec = try record.optional { (record) throws(BinaryError) in try Exec(from: &record) }
    }

    /// Those that this program knows.
    private static func flags(
        _ record: inout BinaryReader
    ) throws(BinaryError) -> [(flag: SettingsFlag, value: String)] {
        let pairs = try record.list(ofAtLeast: 8) { (record) throws(BinaryError) in
            (try record.text(), try record.text())
        }
        return pairs.compactMap { name, value in SettingsFlag(rawValue: name).map { ($0, value) } }
    }
}

extension InheritanceRecord.Exec {
    func write(to record: inout BinaryWriter) {
        record.append(processID)
        record.append(list: arguments) { $0.append($1) }
        record.append(programs.executable)
        record.append(optional: programs.isWorkerFolderGiven ? programs.workerFolder : nil) { $0.append($1) }
        record.append(workerFolder)
        record.append(list: pids.sorted { $0.key < $1.key }) {
            $0.append($1.key)
            $0.append($1.value)
        }
        record.append(list: previousSockets.sorted { $0.key.rawValue < $1.key.rawValue }) {
            $0.append($1.key.rawValue)
            $0.append($1.value?.description ?? "")
        }
        record.append(list: descriptors) {
            $0.append($1.name)
            $0.append($1.descriptor)
        }
    }

    init(from record: inout BinaryReader) throws(BinaryError) {
        processID = try record.integer(Int32.self)
        arguments = try record.list(ofAtLeast: 4) { (record) throws(BinaryError) in try record.text() }
        let executable = try record.text()
        programs = ProgramPaths(
            executable: executable,
            workerFolder: try record.optional { (record) throws(BinaryError) in try record.text() })
        workerFolder = try record.text()
        pids = [:]
        let processes = try record.list(ofAtLeast: 12) { (record) throws(BinaryError) in
            (id: try record.integer(UInt64.self), pid: try record.integer(Int32.self))
        }
        for process in processes where process.pid > 0 { pids[process.id] = process.pid }
        previousSockets = [:]
        let sockets = try record.list(ofAtLeast: 8) { (record) throws(BinaryError) in
            (role: try record.text(), name: try record.text())
        }
        for socket in sockets {
            guard let role = StoredDescriptorName.Role(rawValue: socket.role) else {
                throw .invalidValue("a socket has no role")
            }
            previousSockets[role] = .some(StoredDescriptorName(socket.name))
        }
        descriptors = try record.list(ofAtLeast: 8) { (record) throws(BinaryError) in
            ReceivedDescriptor(name: try record.text(), descriptor: try record.integer(Int32.self))
        }
    }
}

/// Settings and programs in service before a reload: kept until all workers are replaced.
struct PreviousRelease {
    var settings: ProxySettings
    var workerFolder: String
    /// The workers' programs as open files.
    var programs: [WorkerRole: Int32]
    var logLevel: String?
    /// Listened on until all workers are replaced: those that have been replaced or given up.
    var sockets: [StoredDescriptorName.Role: Listeners.Socket]

    init(_ record: InheritanceRecord, _ exec: InheritanceRecord.Exec, _ table: DescriptorTable) {
        settings = record.settings
        workerFolder = exec.workerFolder
        programs = WorkerRole.allCases.reduce(into: [:]) { $0[$1] = table.descriptor(.program($1)) }
        logLevel = record.logLevel
        sockets = [:]
        for (role, name) in exec.previousSockets {
            guard let descriptor = table.descriptor(.previous(role)) else { continue }
            sockets[role] = Listeners.Socket(descriptor: descriptor, name: name)
        }
    }
}
