// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import WorkerLink

/// The programs of the workers that belong to this supervisor. A package that is being installed puts others in their
/// place, which come into service by a reload: until then, and when that fails, who dies is started again as it was.
final class WorkerPrograms {
    private let files: [WorkerRole: ProgramFile]

    init(folder: String) throws(StartError) {
        var files: [WorkerRole: ProgramFile] = [:]
        for role in WorkerRole.allCases {
            let path = "\(folder)/\(role.executableName)"
            do throws(SystemError) {
                guard access(path, X_OK) == 0 else { throw SystemError.last(path) }
                files[role] = try ProgramFile(path)
            } catch {
                // The service serves without it; what starts it says what is missing.
                if role == .recorder {
                    files[role] = ProgramFile(adopting: nil, file: path)
                    continue
                }
                let programs = WorkerRole.allCases.filter { $0 != .recorder }.map(\.executableName).joined(
                    separator: " and ")
                throw StartError(
                    "cannot run the worker program: \(error); \(programs) must be in the folder of fodc-proxy")
            }
        }
        self.files = files
    }

    /// Those that the program before this one had.
    init(adopting descriptors: [WorkerRole: Int32], folder: String) {
        files = WorkerRole.allCases.reduce(into: [:]) { files, role in
            files[role] = ProgramFile(adopting: descriptors[role], file: "\(folder)/\(role.executableName)")
        }
    }

    subscript(_ role: WorkerRole) -> ProgramFile {
        guard let file = files[role] else { preconditionFailure("there is a program for every role") }
        return file
    }

    var descriptors: [WorkerRole: Int32] { files.compactMapValues(\.descriptor) }
}
