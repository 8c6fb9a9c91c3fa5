// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import TestSupport

/// A systemd that keeps descriptors by name, and reads when the test looks.
final class SystemdUnderTest {
    let socketPath: String
    private let folder: String
    private let descriptor: Int32
    private(set) var stored: Set<String> = []
    /// Names in the order in which they came and went: `+up-0.2`, `-up-0.2`.
    private(set) var history: [String] = []

    init() throws {
        folder = temporaryFolder()
        socketPath = "\(folder)/notify"
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = socket(AF_UNIX, kind, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(socketPath.utf8)) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else { throw SystemError.last("bind \(socketPath)") }
    }

    deinit {
        close(descriptor)
        unlink(socketPath)
        rmdir(folder)
    }

    /// Handles what has come. A barrier is passed by closing what came with it.
    func look() {
        while case .message(let message)? = try? MessageSocket.receive(on: descriptor) {
            for extra in message.descriptors { close(extra) }
            let lines = String(decoding: message.bytes, as: UTF8.self).split(separator: "\n")
            let name = lines.first { $0.hasPrefix("FDNAME=") }.map { String($0.dropFirst("FDNAME=".count)) } ?? ""
            if lines.contains("FDSTORE=1"), !message.descriptors.isEmpty {
                stored.insert(name)
                history.append("+\(name)")
            } else if lines.contains("FDSTOREREMOVE=1") {
                stored.remove(name)
                history.append("-\(name)")
            }
        }
    }
}
