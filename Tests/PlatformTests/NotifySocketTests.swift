// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Platform

/// A systemd that reads when it is told to.
private final class Listener {
    let path: String
    private let folder: String
    private(set) var descriptor: Int32 = -1

    init() {
        folder = "/tmp/fodc-notify-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        mkdir(folder, 0o700)
        path = "\(folder)/notify"
        open()
    }

    deinit {
        close(descriptor)
        unlink(path)
        rmdir(folder)
    }

    func open() {
        if descriptor >= 0 { close(descriptor) }
        unlink(path)
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = socket(AF_UNIX, kind, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        precondition(code == 0, "the test's folder is its own")
    }

    /// Text and number of descriptors of each message that has come.
    func read() -> [(text: String, descriptors: Int)] {
        var found: [(String, Int)] = []
        while case .message(let message)? = try? MessageSocket.receive(on: descriptor) {
            for extra in message.descriptors { close(extra) }
            found.append((String(decoding: message.bytes, as: UTF8.self), message.descriptors.count))
        }
        return found
    }
}

@Suite struct NotifySocketTests {
    @Test func notifySocket_isNotStuckAfterItsReceiverEnds() {
        let listener = Listener()
        let notify = NotifySocket(path: listener.path)
        while notify.send("STATUS=much") && notify.waitingCount == 0 {}
        #expect(notify.isStuck)
        _ = listener.read()
        notify.flush()
        #expect(!notify.isStuck && notify.waitingCount == 0)
        let alone = NotifySocket(path: listener.path + "-of-nobody")
        #expect(alone.send("STATUS=well") && alone.waitingCount == 1 && !alone.isStuck)
    }

    @Test func notifySocket_deliversMessagesAndDescriptors() {
        let listener = Listener()
        let notify = NotifySocket(path: listener.path)
        let descriptor = open("/dev/null", O_RDONLY)
        defer { close(descriptor) }
        let isSent =
            notify.send("READY=1") && notify.send("FDSTORE=1", [descriptor]) && notify.sendIfPossible("WATCHDOG=1")
        #expect(isSent && notify.waitingCount == 0)
        let heard = listener.read()
        #expect(heard.map(\.text) == ["READY=1", "FDSTORE=1", "WATCHDOG=1"])
        #expect(heard.map(\.descriptors) == [0, 1, 0])
    }

    /// Nothing waits, nothing is lost but pings, nothing comes out of order, and of the status only the last counts.
    @Test func notifySocket_queuesInOrderWhileSystemdDoesNotRead() {
        let listener = Listener()
        let notify = NotifySocket(path: listener.path)
        let descriptor = open("/dev/null", O_RDONLY)
        defer { close(descriptor) }
        var sent = 0
        while notify.sendIfPossible("WATCHDOG=1") { sent += 1 }
        #expect(sent > 0)
        for number in 0..<5 {
            let isKept = notify.send("FDSTORE=1\nFDNAME=x-\(number)", [descriptor])
            let isTold = notify.send("STATUS=\(number)", replaces: "STATUS")
            #expect(isKept && isTold)
        }
        #expect(notify.waitingCount == 6 && !notify.sendIfPossible("WATCHDOG=1"))
        var heard: [String] = []
        while notify.waitingCount > 0 || heard.isEmpty {
            heard += listener.read().map(\.text)
            notify.flush()
        }
        heard += listener.read().map(\.text)
        #expect(Array(heard.dropFirst(sent)) == (0..<5).map { "FDSTORE=1\nFDNAME=x-\($0)" } + ["STATUS=4"])
        #expect(heard.count == sent + 6 && notify.sendIfPossible("WATCHDOG=1"))
    }

    @Test func notifySocket_limitsItsQueue() {
        let listener = Listener()
        let notify = NotifySocket(path: listener.path)
        while notify.sendIfPossible("WATCHDOG=1") {}
        var kept = 0
        while notify.send("FDSTOREREMOVE=1") { kept += 1 }
        #expect(kept == NotifySocket.limitWaiting)
    }

    @Test func notifySocket_reconnectsToARestartedSystemd() {
        let listener = Listener()
        let notify = NotifySocket(path: listener.path)
        let isFirst = notify.send("STATUS=1")
        listener.open()
        let isSecond = notify.send("STATUS=2")
        #expect(isFirst && isSecond)
        #expect(listener.read().map(\.text) == ["STATUS=2"])
    }

    @Test(arguments: [nil, "", "relative", "vsock:1:2", "/" + String(repeating: "x", count: 200)] as [String?])
    func notifySocket_sendsNothingWithoutAReceiver(_ path: String?) {
        let notify = NotifySocket(path: path)
        let isSent = notify.send("READY=1") || notify.sendIfPossible("WATCHDOG=1")
        #expect(!notify.isThere && !isSent)
    }
}
