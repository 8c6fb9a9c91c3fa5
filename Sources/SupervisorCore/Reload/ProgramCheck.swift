// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Rings
import Settings
import WorkerLink

/// `fodc-proxy --check`: whether the workers' programs are there and of one kind with this one. To be asked of new programs
/// before they replace running ones. It also has the workers look at the files that the settings name.
public enum ProgramCheck {
    /// Printing a line takes milliseconds, also from a cold disk.
    static let limitMilliseconds: Int32 = 10_000
    /// Of the reason why a file cannot be used: a path and a sentence.
    private static let limitReasonCharacters = 2000

    /// Formats that one supervisor passes to the other, and that must be the same in both. `layout`: that of rings,
    /// which old and new workers share during a reload. `worker-protocol`: running workers go on under the new supervisor for
    /// a while.
    private static var kinds: [(name: String, version: UInt64)] {
        [
            ("layout", RingFormat.version), ("handover", UInt64(InheritanceRecord.version)),
            ("control", RingFormat.controlVersion),
            ("worker-protocol", UInt64(MessageCoding.version)),
        ]
    }

    /// The line of a good end.
    public static var line: String {
        let kinds = kinds.map { " \($0.name) \($0.version)" }.joined()
        return "fodc-proxy \(ProxyVersion.current)\(kinds): ok"
    }

    /// Why a program that has printed this ``line`` at its good end cannot become this process; `nil`: it can.
    static func flaw(of line: String) -> String? {
        let words = line.split { $0 == " " || $0 == ":" }.map(String.init)
        for kind in kinds {
            guard let place = words.firstIndex(of: kind.name), place + 1 < words.count else {
                return "--check does not print the version of its \(kind.name); restart the service instead"
            }
            guard words[place + 1] == String(kind.version) else {
                return """
                    its \(kind.name) has version \(words[place + 1]), the running program's has version \(kind.version): a \
                    reload cannot switch between them; restart the service instead
                    """
            }
        }
        return nil
    }

    public static func run(workerFolder folder: String, settings: ProxySettings) throws(StartError) {
        _ = try WorkerPrograms(folder: folder)
        for role in WorkerRole.allCases {
            let path = "\(folder)/\(role.executableName)"
            // The service serves without it.
            if role == .recorder, access(path, X_OK) != 0 { continue }
            let result: ProgramOutput.Result
            do throws(SystemError) {
                result = try ProgramOutput.run(
                    path, arguments: [role.executableName] + WorkerCheck.arguments(settings),
                    limitMilliseconds: limitMilliseconds)
            } catch {
                throw StartError("cannot run the worker program: \(error)")
            }
            guard let exitCode = result.exitCode else {
                throw StartError("\(path) \(WorkerCheck.argument) did not exit; reinstall the programs")
            }
            let lines = result.text.split(separator: "\n").map(String.init)
            let said = lines.first ?? "nothing"
            if said == WorkerCheck.line, exitCode != 0, lines.count > 1 {
                throw StartError(SanitizedText.line(lines[1], limitCharacters: limitReasonCharacters))
            }
            guard exitCode == 0, said == WorkerCheck.line else {
                throw StartError(
                    "\(path) does not fit this program: it prints \(SanitizedText.quoted(said)) instead of "
                        + "\"\(WorkerCheck.line)\"; install all programs of one version")
            }
        }
    }
}
