// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A client that reads when it is told to. Used by one thread at a time.
final class DownloadClient: @unchecked Sendable {
    private var descriptor: Int32

    init(port: UInt16, receiveBufferBytes: Int32? = nil) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if var size = receiveBufferBytes { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        // A defect must not hang the tests.
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        precondition(result == 0)
    }

    deinit { leave() }

    func leave() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        precondition(Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
    }

    enum End: Equatable {
        case complete
        case closed
        case failed(Int32)
    }

    /// The next bytes, at most so many; or how the connection ended.
    func receive(_ limit: Int = 1 << 18) -> (bytes: ArraySlice<UInt8>, end: End?) {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &bytes, limit, 0)
        if count < 0 { return ([], .failed(errno)) }
        return count == 0 ? ([], .closed) : (bytes[..<count], nil)
    }

    /// Everything until the last chunk or the connection's end. `pause` is called between reads.
    func receiveAll(pause: () -> Void = {}) -> (bytes: [UInt8], end: End) {
        var all: [UInt8] = []
        while true {
            let (bytes, end) = receive()
            if let end { return (all, end) }
            all += bytes
            if all.count > 5, all[(all.count - 5)...].elementsEqual("0\r\n\r\n".utf8) { return (all, .complete) }
            pause()
        }
    }
}

/// Head and body of an answer; the chunks are put together as far as they came.
func parts(of answer: [UInt8]) -> (head: String, body: [UInt8]) {
    let blank = Array("\r\n\r\n".utf8)
    var headEnd = 0
    while headEnd + 4 <= answer.count, !answer[headEnd..<headEnd + 4].elementsEqual(blank) { headEnd += 1 }
    let head = String(decoding: answer.prefix(headEnd), as: UTF8.self)
    var body: [UInt8] = []
    var next = min(headEnd + 4, answer.count)
    guard head.contains("chunked") else { return (head, Array(answer[next...])) }
    while next < answer.count, let lineEnd = answer[next...].firstIndex(of: 13),
        let count = Int(String(decoding: answer[next..<lineEnd], as: UTF8.self), radix: 16), count > 0
    {
        let start = min(lineEnd + 2, answer.count)
        body += answer[start..<min(start + count, answer.count)]
        next = start + count + 2
    }
    return (head, body)
}
