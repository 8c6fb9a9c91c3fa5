// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// The control socket: a name in the runtime folder where root and the service's own user may ask things of the running
/// service. Lives on the supervisor's event loop and waits for nobody.
final class ControlServer {
    static let socketName = "control.sock"
    /// People and scripts, a few at a time.
    static let limitConnections = 8
    /// A request is written at once; who needs longer is stuck.
    static let requestLimitNanoseconds: UInt64 = 2_000_000_000
    /// So long a finished answer waits for its reader.
    static let readerLimitNanoseconds: UInt64 = 5_000_000_000
    /// Tokens of the event queue that it takes, from the first on: the socket's, then one a connection.
    static let tokenCount = UInt64(1 + limitConnections)

    static func path(runtimeDirectory folder: String) -> String { "\(folder)/\(socketName)" }

    /// The listening socket, for who comes after an exec (``init(adopting:events:firstToken:)``); close-on-exec until that
    /// is taken off.
    let descriptor: Int32
    /// A request that makes sense, and where its answer goes.
    var onRequest: (ControlRequest, ControlReply) -> Void = { _, _ in }
    /// Somebody was refused: a line for the log, to be counted.
    var onRefusal: (String) -> Void = { _ in }

    private let events: EventQueue
    private let firstToken: UInt64
    private let ownUserID = geteuid()
    private var connections = [ControlConnection?](repeating: nil, count: limitConnections)
    /// It is not watched for lack of descriptors.
    private var isPaused = false
    /// It is not watched because the next program in this process is to answer.
    private var isHeld = false

    /// Creates the socket; to be called by the holder of the folder's ``RuntimeLock``, so that an old socket there is a leftover.
    convenience init(runtimeDirectory folder: String, events: EventQueue, firstToken: UInt64) throws(StartError) {
        let listener: Int32
        do throws(SystemError) {
            listener = try LocalSocket.listen(path: Self.path(runtimeDirectory: folder))
        } catch {
            throw StartError(
                "--runtime-dir: cannot create the control socket in \(folder) (\(error)); name a folder that this user "
                    + "may write to, with a name of at most \(LocalSocket.limitPathBytes - Self.socketName.utf8.count - 1)"
                    + " bytes, or none", .folderUnusable)
        }
        try self.init(adopting: listener, events: events, firstToken: firstToken)
    }

    /// Goes on with the socket of the program that was in this process before an exec.
    init(adopting descriptor: Int32, events: EventQueue, firstToken: UInt64) throws(StartError) {
        self.descriptor = descriptor
        self.events = events
        self.firstToken = firstToken
        do throws(SystemError) {
            guard LocalSocket.isListening(descriptor) else { throw SystemError(call: "control socket", code: ENOTSOCK) }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            try ListeningSocket.setNonblocking(descriptor)
            try events.add(descriptor, token: firstToken)
        } catch {
            throw StartError("cannot use the control socket: \(error)")
        }
    }

    /// An answer that is still owed after an exec. Without a place for it the asker is let go.
    func adoptReply(_ descriptor: Int32) -> ControlReply? {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        let connection = ControlConnection(descriptor: descriptor, hasRequest: true, deadlineNanoseconds: .max)
        guard (try? MessageSocket.setNonblocking(descriptor)) != nil, take(connection) else { return nil }
        return ControlReply(connection)
    }

    /// Takes nobody new: who knocks now waits for the program that an exec brings, or for ``resume()``.
    func hold() {
        guard !isHeld else { return }
        isHeld = true
        if !isPaused { events.remove(descriptor) }
    }

    func resume() {
        guard isHeld else { return }
        isHeld = false
        // Without room for it now there is at the next tick.
        isPaused = (try? events.add(descriptor, token: firstToken)) == nil
    }

    /// Whether an exec would cut nobody short but those who wait for the outcome of what they have asked for. While it is
    /// held it becomes so within ``requestLimitNanoseconds`` and ``readerLimitNanoseconds``, whatever the others do.
    var isQuiet: Bool { connections.allSatisfy { $0.map { $0.hasRequest && !$0.isFinished } ?? true } }

    /// Whether a token of the event queue is one of these.
    func owns(_ token: UInt64) -> Bool { token >= firstToken && token - firstToken < Self.tokenCount }

    /// One of its descriptors is readable.
    func handleReadable(_ token: UInt64, nowNanoseconds: UInt64) {
        precondition(owns(token), "the token is one of the control socket's")
        guard token != firstToken else { return acceptAll(nowNanoseconds) }
        let place = Int(token - firstToken) - 1
        // The token may be of a connection that has just been closed.
        guard let connection = connections[place] else { return }
        switch connection.read() {
        case .wait: break
        case .end: drop(place)
        case .refuse(let reason): refuse(connection, reason)
        case .request(let fields):
            connection.deadlineNanoseconds = .max
            do throws(ControlRequestError) {
                onRequest(try ControlRequest(fields: fields), ControlReply(connection))
            } catch {
                refuse(connection, "\(error)", exitCode: 2)
            }
        }
        settle(place, nowNanoseconds)
    }

    /// Time passes (CLOCK_MONOTONIC, or one that stands still while the process does).
    func tick(nowNanoseconds: UInt64) {
        if isPaused, !isHeld {
            isPaused = (try? events.add(descriptor, token: firstToken)) == nil
        }
        for place in connections.indices {
            guard let connection = connections[place] else { continue }
            connection.flush()
            if nowNanoseconds >= connection.deadlineNanoseconds {
                if !connection.hasRequest { refuse(connection, "the request did not come within 2 s") }
                drop(place)
            }
            settle(place, nowNanoseconds)
        }
    }

    /// The service ends: the name goes, and who waits is let go.
    func close(runtimeDirectory folder: String) {
        unlink(Self.path(runtimeDirectory: folder))
        for place in connections.indices { drop(place) }
        events.remove(descriptor)
        MemoryFile.close(descriptor)
    }

    // MARK: Connections

    private func acceptAll(_ now: UInt64) {
        // An event may have been on its way when it was held.
        while !isHeld {
            let accepted: Int32?
            do throws(SystemError) {
                accepted = try LocalSocket.accept(on: descriptor)
            } catch {
                // Without descriptors the socket stays readable; the loop must not spin on it.
                events.remove(descriptor)
                isPaused = true
                return onRefusal("cannot accept a connection on the control socket: \(error)")
            }
            guard let accepted else { return }
            let connection = ControlConnection(
                descriptor: accepted, deadlineNanoseconds: now + Self.requestLimitNanoseconds)
            guard let peer = try? LocalSocket.peer(of: accepted), peer.userID == 0 || peer.userID == ownUserID else {
                let user = (try? LocalSocket.peer(of: accepted)).map { "user \($0.userID)" } ?? "an unknown user"
                refuse(connection, "permission denied for \(user): run as root or user \(ownUserID)")
                continue
            }
            if !take(connection) {
                refuse(connection, "\(Self.limitConnections) other requests are in progress; try again later")
            }
        }
    }

    private func take(_ connection: ControlConnection) -> Bool {
        guard let place = connections.firstIndex(where: { $0 == nil }),
            (try? events.add(connection.descriptor, token: firstToken + 1 + UInt64(place))) != nil
        else { return false }
        connections[place] = connection
        return true
    }

    private func refuse(_ connection: ControlConnection, _ reason: String, exitCode: UInt8 = 1) {
        onRefusal("refused a request on the control socket: \(reason)")
        connection.send(.error(Array("fodc-proxy: \(reason)\n".utf8)))
        connection.send(.end(exitCode: exitCode))
    }

    /// The state of a connection after something was sent.
    private func settle(_ place: Int, _ now: UInt64) {
        guard let connection = connections[place] else { return }
        if !connection.isOpen || connection.isFinished && connection.isFlushed {
            drop(place)
        } else if connection.isFinished {
            connection.deadlineNanoseconds = min(
                connection.deadlineNanoseconds, now + Self.readerLimitNanoseconds)
        }
    }

    private func drop(_ place: Int) {
        guard let connection = connections[place] else { return }
        // A descriptor that is closed already has left the queue by that.
        if connection.isOpen { events.remove(connection.descriptor) }
        connection.close()
        connections[place] = nil
    }
}
