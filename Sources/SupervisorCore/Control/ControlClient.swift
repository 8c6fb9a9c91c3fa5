// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// Asks something of a running service, and waits for the outcome.
public enum ControlClient {
    /// Why there is no outcome: one line that says what to do.
    public struct Failure: Error, Equatable, CustomStringConvertible {
        public let description: String

        public init(description: String) {
            self.description = description
        }
    }

    /// Receives an answer: text for standard output or error, as it comes.
    public typealias Show = (_ bytes: [UInt8], _ isError: Bool) -> Void

    /// Returns the exit code that the service says.
    public static func ask(
        _ request: ControlRequest, runtimeDirectory folder: String, show: Show
    ) throws(Failure) -> Int32 {
        let path = ControlServer.path(runtimeDirectory: folder)
        let connection: Int32
        do throws(SystemError) {
            connection = try LocalSocket.connect(path: path)
        } catch {
            throw Failure(description: explain(error, path: path, folder: folder))
        }
        defer { close(connection) }
        var rest = ControlFrames.encode(fields: request.fields)[...]
        // A server that refuses does so without reading; its reason is there all the same.
        while !rest.isEmpty, let count = try? LocalSocket.send(rest, on: connection), count > 0 {
            rest = rest.dropFirst(count)
        }
        return try readAnswer(from: connection, show)
    }

    private static func readAnswer(from connection: Int32, _ show: Show) throws(Failure) -> Int32 {
        var bytes: ArraySlice<UInt8> = []
        while true {
            do {
                while let (answer, byteCount) = try ControlFrames.decodeAnswer(bytes) {
                    bytes = bytes.dropFirst(byteCount)
                    switch answer {
                    case .output(let text): show(text, false)
                    case .error(let text): show(text, true)
                    case .end(let exitCode): return Int32(exitCode)
                    }
                }
                guard case .bytes(let more) = try LocalSocket.receive(on: connection, limitBytes: 64 << 10) else {
                    throw Failure(
                        description: "the service closed the connection before it was done: it was stopped, or "
                            + "reloaded; see \"fodc-proxy ctl status\" and the log")
                }
                bytes += more
            } catch let failure as Failure {
                throw failure
            } catch {
                throw Failure(description: "cannot understand the service's answer: \(error)")
            }
        }
    }

    private static func explain(_ error: SystemError, path: String, folder: String) -> String {
        switch error.code {
        case ENOENT, ENOTDIR:
            return "no control socket at \(path): is fodc-proxy running, with \(folder) as its --runtime-dir?"
        case ECONNREFUSED:
            return "no process listens at \(path): fodc-proxy is not running and has left the file behind"
        case EACCES, EPERM:
            // A folder that may not be entered does not show its socket, but itself.
            let owner = LocalSocket.owner(of: path) ?? LocalSocket.owner(of: folder)
            let user = owner.flatMap { $0.userID == 0 ? nil : $0.name ?? "\($0.userID)" }
            return "\(path): permission denied: run as root" + (user.map { " or as \($0)" } ?? "")
        case EAGAIN:
            return "too many requests are waiting at \(path); try again later"
        default:
            return "cannot use \(path): \(error)"
        }
    }
}
