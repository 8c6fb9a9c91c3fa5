// SPDX-License-Identifier: Apache-2.0
import Lanes
import Platform
import Settings
import WorkerLink

/// `fodc-proxy --check`: whether the workers' programs are there and of one kind with this one. To be asked of new programs
/// before they replace running ones.
public enum ProgramCheck {
    /// Printing a line takes milliseconds, also from a cold disk.
    static let limitMilliseconds: Int32 = 10_000

    /// The line of a good end.
    public static var line: String { "fodc-proxy \(ProxyVersion.current) layout \(LaneFormat.version): ok" }

    public static func run(workerFolder folder: String) throws(StartError) {
        try WorkerStarter.check(folder: folder)
        for role in WorkerRole.allCases {
            let path = "\(folder)/\(role.executableName)"
            let result: ProgramOutput.Result
            do throws(SystemError) {
                result = try ProgramOutput.run(
                    path, arguments: [role.executableName, WorkerCheck.argument], limitMilliseconds: limitMilliseconds)
            } catch {
                throw StartError("the worker program cannot be run: \(error)")
            }
            guard let exitCode = result.exitCode else {
                throw StartError("\(path) \(WorkerCheck.argument) did not come to an end; install the programs anew")
            }
            let said = result.text.split(separator: "\n").first.map(String.init) ?? "nothing"
            guard exitCode == 0, said == WorkerCheck.line else {
                throw StartError(
                    "\(path) is of another kind than this program: it says \(ShownText.quoted(said)) instead of "
                        + "\"\(WorkerCheck.line)\"; install all programs of one version")
            }
        }
    }
}
