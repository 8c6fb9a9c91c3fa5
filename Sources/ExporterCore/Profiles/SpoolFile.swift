// SPDX-License-Identifier: Apache-2.0
import DequeModule
import NIOCore
import Platform

/// Bytes that the client of one download has not taken yet, beyond what waits in memory: first in, first out, through a file.
///
/// Lives on the event loop; the file is touched by the ``SpoolThread`` alone, one write and one read of it at a time.
/// The file begins at its start again once all of it is read: it never holds more than lay there at once.
final class SpoolFile {
    enum Failure: Error {
        /// ``SpoolSpace/maximumBytes`` would be passed.
        case spaceUsedUp
        /// The folder's file system has no room for the profile.
        case diskFull(freeBytes: UInt64)
        case system(SystemError)
        /// ``SpoolThread/maximumWaitingBytes`` would be passed.
        case diskTooSlow
    }

    /// So many bytes are in the file now.
    var onWritten: (Int) -> Void = { _ in }
    /// The next bytes, in the order in which they came.
    var onRead: (SpoolPiece) -> Void = { _ in }
    /// It cannot be used any more; told once.
    var onFailure: (Failure) -> Void = { _ in }

    private let space: SpoolSpace
    /// The client's address.
    private let source: NetworkSource
    private let thread: SpoolThread
    private let pool: SpoolPiecePool
    private var file: UnlinkedFile?
    private var reservedBytes: UInt64 = 0
    private var unwritten: Deque<SpoolPiece> = []
    /// Of the pieces in `unwritten` and of the one that is being written.
    private var unwrittenBytes = 0
    private var isWriting = false
    private var isReading = false
    private var writtenEnd: UInt64 = 0
    private var readEnd: UInt64 = 0
    private var isClosed = false

    init(space: SpoolSpace, source: NetworkSource, thread: SpoolThread, pool: SpoolPiecePool) {
        self.space = space
        self.source = source
        self.thread = thread
        self.pool = pool
    }

    /// Nothing is in it, nor on its way into or out of it.
    var isEmpty: Bool { unwrittenBytes == 0 && !isReading && writtenEnd == readEnd }

    // MARK: Opening and closing

    private typealias Opened = Result<(file: UnlinkedFile, freeBytes: UInt64), SystemError>

    /// Reserves room and makes the file. `done` gets why it cannot be; not called after ``close()``.
    func open(expecting byteCount: UInt64, _ done: @escaping (Failure?) -> Void) {
        guard space.reserve(byteCount, of: source) else { return done(.spaceUsedUp) }
        reservedBytes = byteCount
        let folder = space.folder
        let open = space.open
        thread.run {
            () -> Opened in
            do throws(SystemError) {
                let file = try open(folder)
                do throws(SystemError) {
                    return .success((file, try file.freeBytes()))
                } catch {
                    file.close()
                    throw error
                }
            } catch {
                return .failure(error)
            }
        } _: { [self] opened in
            switch opened {
            case .success(let (file, freeBytes)):
                if isClosed { return thread.run({ file.close() }, {}) }
                self.file = file
                done(freeBytes < byteCount ? .diskFull(freeBytes: freeBytes) : nil)
            case .failure(let error):
                if !isClosed { done(.system(error)) }
            }
        }
    }

    /// No more bytes will come: what was reserved and is not needed is for others.
    func expectsNoMore() {
        let needed = writtenEnd + UInt64(unwrittenBytes)
        guard needed < reservedBytes else { return }
        space.release(reservedBytes - needed, of: source)
        reservedBytes = needed
    }

    /// Its content is not wanted any more.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        space.release(reservedBytes, of: source)
        space.consumed(writtenEnd - readEnd)
        for piece in unwritten {
            thread.leave(piece.byteCount)
            pool.giveBack(piece)
        }
        unwritten = []
        // Behind the jobs that still use it.
        if let file { thread.run({ file.close() }, {}) }
        file = nil
    }

    // MARK: In

    /// Adds bytes at the end.
    func append(_ bytes: RawSpan) {
        guard makeRoom(bytes.byteCount) else { return }
        var offset = 0
        while offset < bytes.byteCount {
            let piece = pieceWithRoom()
            let count = min(piece.roomBytes, bytes.byteCount - offset)
            piece.bytes.writeBytes(bytes.extracting(offset..<offset + count))
            offset += count
        }
        writeNext()
    }

    /// Adds a piece at the end, which is the file's from here on.
    func append(_ piece: SpoolPiece) {
        guard makeRoom(piece.byteCount) else { return pool.giveBack(piece) }
        unwritten.append(piece)
        writeNext()
    }

    private func pieceWithRoom() -> SpoolPiece {
        if let last = unwritten.last, last.roomBytes > 0 { return last }
        let piece = pool.take()
        unwritten.append(piece)
        return piece
    }

    private func makeRoom(_ byteCount: Int) -> Bool {
        guard !isClosed else { return false }
        let needed = writtenEnd + UInt64(unwrittenBytes + byteCount)
        if needed > reservedBytes {
            guard space.reserve(needed - reservedBytes, of: source, ownBytes: reservedBytes) else {
                return fail(.spaceUsedUp)
            }
            reservedBytes = needed
        }
        guard thread.admit(byteCount) else { return fail(.diskTooSlow) }
        unwrittenBytes += byteCount
        return true
    }

    private func fail(_ failure: Failure) -> Bool {
        onFailure(failure)
        return false
    }

    private func writeNext() {
        guard !isClosed, !isWriting, let file, let piece = unwritten.popFirst() else { return }
        isWriting = true
        let offset = writtenEnd
        thread.run {
            piece.write(to: file, at: offset)
        } _: { [self] error in
            let byteCount = piece.byteCount
            isWriting = false
            thread.leave(byteCount)
            pool.giveBack(piece)
            guard !isClosed else { return }
            if let error { return onFailure(.system(error)) }
            unwrittenBytes -= byteCount
            writtenEnd += UInt64(byteCount)
            space.wrote(byteCount)
            onWritten(byteCount)
            writeNext()
        }
    }

    // MARK: Out

    /// Fetches the next piece, if there is one and none is being fetched.
    func readNext() {
        guard !isClosed, !isReading, let file, readEnd < writtenEnd else { return }
        isReading = true
        let offset = readEnd
        let byteCount = Int(min(UInt64(SpoolPiece.capacityBytes), writtenEnd - readEnd))
        let piece = pool.take()
        thread.run {
            piece.read(byteCount, from: file, at: offset)
        } _: { [self] error in
            isReading = false
            guard !isClosed, error == nil else {
                pool.giveBack(piece)
                if let error, !isClosed { onFailure(.system(error)) }
                return
            }
            readEnd += UInt64(byteCount)
            space.consumed(UInt64(byteCount))
            if isEmpty { (readEnd, writtenEnd) = (0, 0) }
            piece.isTaken = true
            onRead(piece)
        }
    }
}
