// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// Asks something of a running service, and waits for the outcome.
public enum ControlClient {
    /// Why there is no outcome: one line that says what to do.
    public struct Failure: Error, Equatable, CustomStringConvertible {
        public let description: String
    }

    /// What an answer does: text for standard output or error, as it comes.
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
        // Who refuses does so without reading; what it says of it is there all the same.
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
                        description: "the service has closed the connection before it was done: it has ended, or was "
                            + "reloaded meanwhile; \"fodc-proxy ctl status\" and its log tell more")
                }
                bytes += more
            } catch let failure as Failure {
                throw failure
            } catch {
                throw Failure(description: "the service cannot be understood: \(error)")
            }
        }
    }

    private static func explain(_ error: SystemError, path: String, folder: String) -> String {
        switch error.code {
        case ENOENT, ENOTDIR:
            return "there is no control socket \(path); is fodc-proxy running, and is \(folder) its --runtime-dir?"
        case ECONNREFUSED:
            return "nobody listens at \(path): fodc-proxy has ended and left it behind"
        case EACCES, EPERM:
            // A folder that may not be entered does not show its socket, but itself.
            let owner = LocalSocket.owner(of: path) ?? LocalSocket.owner(of: folder)
            let user = owner.flatMap { $0.userID == 0 ? nil : $0.name ?? "\($0.userID)" }
            return "\(path) is not for this user; be root" + (user.map { " or user \($0)" } ?? "")
        case EAGAIN:
            return "too many others are asking at \(path); try again later"
        default:
            return "\(path) cannot be used: \(error)"
        }
    }
}
