// SPDX-License-Identifier: Apache-2.0
import Settings

/// Launch arguments as text: `--NAME=VALUE` for what is the worker's own, `--set-FLAG=VALUE` for settings. Each name
/// once, all that the role needs, nothing else.
extension WorkerLaunch {
    private enum Name: String, CaseIterable {
        case worker, index, generation
        case ingestWorkers = "ingest-workers"
        case standby, fresh
        case control = "control-fd"
        case link = "link-fd"
        case listener = "listener-fd"
        case tlsListener = "tls-listener-fd"
        case secret = "secret-fd"
        case user
        case dataRing = "data-ring-fd"
        case commandA = "command-ring-a-fd"
        case commandB = "command-ring-b-fd"
        case wakeupA = "wakeup-a-fd"
        case wakeupB = "wakeup-b-fd"
        case otherDataRings = "other-data-ring-fds"
        case dataRings = "data-ring-fds"
        case commandRings = "command-ring-fds"
        case wakeups = "wakeup-fds"
        case state = "state-fd"
        case recorderState = "recorder-state-fd"
        case exporterState = "exporter-state-fd"
        case suspects
    }

    private static let settingPrefix = "set-"

    /// The arguments after the program's name.
    public var arguments: [String] {
        var values: [(Name, String)] = [
            (.worker, role.rawValue), (.index, String(index)), (.generation, String(generation)),
            (.ingestWorkers, String(ingestWorkers)), (.standby, isStandby ? "1" : "0"), (.fresh, isFresh ? "1" : "0"),
            (.control, String(descriptors.control)),
            (.link, String(descriptors.link)), (.user, user.map { "\($0.user):\($0.group)" } ?? ""),
        ]
        if descriptors.listener >= 0 { values.append((.listener, String(descriptors.listener))) }
        if let listener = descriptors.tlsListener { values.append((.tlsListener, String(listener))) }
        if let secret = descriptors.secret { values.append((.secret, String(secret))) }
        func list(_ numbers: [Int32]) -> String { numbers.map(String.init).joined(separator: ",") }
        switch descriptors.rings {
        case .ingest(let rings):
            let others = rings.otherDataRings.map { "\($0.index):\($0.descriptor)" }.joined(separator: ",")
            values += [
                (.dataRing, String(rings.dataRing)), (.commandA, String(rings.commandA)),
                (.commandB, String(rings.commandB)),
                (.wakeupA, String(rings.wakeupA)), (.wakeupB, String(rings.wakeupB)), (.otherDataRings, others),
            ]
        case .exporter(let rings):
            values += [
                (.dataRings, list(rings.dataRings)), (.commandRings, list(rings.commandRings)),
                (.wakeups, list(rings.wakeups)),
                (.state, String(rings.state)), (.recorderState, String(rings.recorderState)),
                (.suspects, suspects.map(String.init).joined(separator: ",")),
            ]
        case .recorder(let rings):
            values += [
                (.dataRings, list(rings.dataRings)), (.state, String(rings.state)),
                (.exporterState, String(rings.exporterState)),
                (.suspects, suspects.map(String.init).joined(separator: ",")),
            ]
        }
        return values.map { "--\($0.0.rawValue)=\($0.1)" } + Self.arguments(of: settings)
    }

    static func arguments(of settings: ProxySettings) -> [String] {
        settings.flagValues.map { "--\(settingPrefix)\($0.flag.rawValue)=\($0.value)" }
    }

    /// One of ``arguments(of:)``.
    static func setting(_ argument: String) throws(WorkerLaunchError) -> (flag: SettingsFlag, value: String) {
        let prefix = "--\(settingPrefix)"
        guard argument.hasPrefix(prefix), let equals = argument.firstIndex(of: "="),
            let flag = SettingsFlag(rawValue: String(argument[..<equals].dropFirst(prefix.count)))
        else { throw WorkerLaunchError("unknown argument \"\(argument)\"") }
        return (flag, String(argument[argument.index(after: equals)...]))
    }

    /// Everything but the secret.
    init(decoding arguments: some Sequence<String>) throws(WorkerLaunchError) {
        var values: [Name: String] = [:]
        var settingValues: [(flag: SettingsFlag, value: String)] = []
        for argument in arguments {
            guard argument.hasPrefix("--"), let equals = argument.firstIndex(of: "=") else {
                throw WorkerLaunchError("unknown argument \"\(argument)\"")
            }
            let name = String(argument[argument.index(argument.startIndex, offsetBy: 2)..<equals])
            let value = String(argument[argument.index(after: equals)...])
            if name.hasPrefix(Self.settingPrefix),
                let flag = SettingsFlag(rawValue: String(name.dropFirst(Self.settingPrefix.count)))
            {
                guard !settingValues.contains(where: { $0.flag == flag }) else {
                    throw WorkerLaunchError("--\(name) is given twice")
                }
                settingValues.append((flag, value))
            } else if let known = Name(rawValue: name) {
                guard values.updateValue(value, forKey: known) == nil else {
                    throw WorkerLaunchError("--\(name) is given twice")
                }
            } else {
                throw WorkerLaunchError("unknown argument --\(name)")
            }
        }
        var reader = Reader(values: values)
        guard let role = WorkerRole(rawValue: try reader.take(.worker)) else {
            throw WorkerLaunchError(
                "--worker: must be one of " + WorkerRole.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let ingestWorkers = try reader.number(.ingestWorkers, in: 1...Self.limitWorkers)
        let index = try reader.number(.index, in: 0...(role.isSingle ? 0 : ingestWorkers - 1))
        let generation = try reader.number(.generation, in: 1...Int.max)
        let standby = try reader.number(.standby, in: 0...(role.isSingle ? 0 : 1))
        let fresh = try reader.number(.fresh, in: 0...1)
        let (control, link) = (try reader.descriptor(.control), try reader.descriptor(.link))
        let tlsListener = role == .ingest ? try reader.descriptorIfGiven(.tlsListener) : nil
        let listener =
            switch role {
            case .recorder: Int32(-1)
            // Agents may connect with TLS alone.
            case .ingest where tlsListener != nil: try reader.descriptorIfGiven(.listener) ?? -1
            case .ingest, .exporter: try reader.descriptor(.listener)
            }
        let secret = role == .ingest ? try reader.descriptor(.secret) : nil
        let user = try reader.user()
        let rings =
            switch role {
            case .ingest: WorkerDescriptors.Rings.ingest(try reader.ingestRings())
            case .exporter: WorkerDescriptors.Rings.exporter(try reader.exporterRings(workers: ingestWorkers))
            case .recorder:
                WorkerDescriptors.Rings.recorder(
                    .init(
                        dataRings: try reader.descriptors(.dataRings, count: ingestWorkers),
                        state: try reader.descriptor(.state),
                        exporterState: try reader.descriptor(.exporterState)))
            }
        let suspects = role == .ingest ? [] : try reader.suspects()
        try reader.expectEnd(role)
        let settings: ProxySettings
        do throws(SettingsError) {
            settings = try ProxySettings(flagValues: settingValues)
        } catch {
            throw WorkerLaunchError("\(error)")
        }
        self.init(
            role: role, index: index, generation: UInt64(generation), ingestWorkers: ingestWorkers,
            isStandby: standby == 1, isFresh: fresh == 1, suspects: suspects, user: user, settings: settings,
            descriptors: WorkerDescriptors(
                control: control, link: link, listener: listener, tlsListener: tlsListener, secret: secret,
                rings: rings))
    }

    /// Takes values one by one, so that what is left over is known at the end.
    private struct Reader {
        var values: [Name: String]

        mutating func take(_ name: Name) throws(WorkerLaunchError) -> String {
            guard let value = values.removeValue(forKey: name) else {
                throw WorkerLaunchError("--\(name.rawValue) is missing")
            }
            return value
        }

        mutating func number(_ name: Name, in range: ClosedRange<Int>) throws(WorkerLaunchError) -> Int {
            let text = try take(name)
            guard let number = Int(text), range.contains(number) else {
                throw WorkerLaunchError(
                    "--\(name.rawValue)=\(text): must be a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }

        mutating func descriptor(_ name: Name) throws(WorkerLaunchError) -> Int32 {
            try Self.descriptor(try take(name)[...], name)
        }

        mutating func descriptorIfGiven(_ name: Name) throws(WorkerLaunchError) -> Int32? {
            values[name] == nil ? nil : try descriptor(name)
        }

        mutating func descriptors(_ name: Name, count: Int) throws(WorkerLaunchError) -> [Int32] {
            let parts = try take(name).split(separator: ",", omittingEmptySubsequences: false)
            guard parts.count == count else {
                throw WorkerLaunchError("--\(name.rawValue): must be \(count) descriptors")
            }
            var numbers: [Int32] = []
            for part in parts { numbers.append(try Self.descriptor(part, name)) }
            return numbers
        }

        mutating func ingestRings() throws(WorkerLaunchError) -> WorkerDescriptors.Ingest {
            let (dataRing, commandA, commandB) = (
                try descriptor(.dataRing), try descriptor(.commandA), try descriptor(.commandB)
            )
            let (wakeupA, wakeupB) = (try descriptor(.wakeupA), try descriptor(.wakeupB))
            var others: [WorkerDescriptors.OtherRing] = []
            for part in try take(.otherDataRings).split(separator: ",") {
                let halves = part.split(separator: ":", omittingEmptySubsequences: false)
                guard halves.count == 2, let index = Int(halves[0]), (0..<WorkerLaunch.limitWorkers).contains(index)
                else {
                    throw WorkerLaunchError("--\(Name.otherDataRings.rawValue): \"\(part)\" must be INDEX:DESCRIPTOR")
                }
                others.append(.init(index: index, descriptor: try Self.descriptor(halves[1], .otherDataRings)))
            }
            return .init(
                dataRing: dataRing, commandA: commandA, commandB: commandB, wakeupA: wakeupA, wakeupB: wakeupB,
                otherDataRings: others)
        }

        mutating func exporterRings(workers: Int) throws(WorkerLaunchError) -> WorkerDescriptors.Exporter {
            .init(
                dataRings: try descriptors(.dataRings, count: workers),
                commandRings: try descriptors(.commandRings, count: workers),
                wakeups: try descriptors(.wakeups, count: workers), state: try descriptor(.state),
                recorderState: try descriptor(.recorderState))
        }

        mutating func suspects() throws(WorkerLaunchError) -> [UInt64] {
            let parts = try take(.suspects).split(separator: ",")
            let words = parts.compactMap { UInt64($0) }
            guard words.count == parts.count, words.count <= WorkerLaunch.limitSuspects else {
                throw WorkerLaunchError(
                    "--\(Name.suspects.rawValue): must be at most \(WorkerLaunch.limitSuspects) numbers")
            }
            return words
        }

        /// `USER:GROUP`, by number; nothing: it stays who it is.
        mutating func user() throws(WorkerLaunchError) -> WorkerUser? {
            let text = try take(.user)
            guard !text.isEmpty else { return nil }
            let numbers = text.split(separator: ":", omittingEmptySubsequences: false).compactMap { UInt32($0) }
            guard numbers.count == 2 else {
                throw WorkerLaunchError("--\(Name.user.rawValue): \"\(text)\" must be USER:GROUP")
            }
            return WorkerUser(user: numbers[0], group: numbers[1])
        }

        func expectEnd(_ role: WorkerRole) throws(WorkerLaunchError) {
            guard let extra = Name.allCases.first(where: { values[$0] != nil }) else { return }
            throw WorkerLaunchError("--\(extra.rawValue) is not for the \(role.rawValue)")
        }

        private static func descriptor(_ text: Substring, _ name: Name) throws(WorkerLaunchError) -> Int32 {
            // 0, 1 and 2 are the standard streams.
            guard let number = Int32(text), number > 2 else {
                throw WorkerLaunchError("--\(name.rawValue): \"\(text)\" is no descriptor")
            }
            return number
        }
    }
}
