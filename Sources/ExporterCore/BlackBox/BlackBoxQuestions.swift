// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import NIOCore
import Platform

/// Asks the database, one question after the other on a thread of its own: a disk may take its time, and the event loop must
/// not. Equal questions that wait are answered together.
final class BlackBoxQuestions {
    typealias Outcome = Result<MadeReport, BlackBoxRefusal>

    /// Different questions that wait at a time. A question takes milliseconds; on a disk that takes seconds, more of them
    /// would only wait longer.
    static let mostWaiting = 16

    private let path: String
    private let loop: any EventLoop
    private let thread: JobThread
    private var asking: [BlackBoxQuestion: [(Outcome) -> Void]] = [:]
    /// Reads of ``read(_:_:)`` that wait.
    private var reading = 0

    init(path: String, loop: any EventLoop) throws(SystemError) {
        self.path = path
        self.loop = loop
        thread = try JobThread(name: "box-questions")
    }

    deinit { thread.stop() }

    /// Calls `done` once, on the event loop.
    func ask(_ question: BlackBoxQuestion, _ done: @escaping (Outcome) -> Void) {
        guard asking[question] == nil else {
            asking[question]?.append(done)
            return
        }
        guard hasRoom else { return done(.failure(.busy)) }
        asking[question] = [done]
        let answered = NIOLoopBound(self, eventLoop: loop)
        thread.run { [path, loop] in
            let outcome = Self.answer(question, path)
            loop.execute { answered.value.end(question, outcome) }
        }
    }

    /// Reads something for the exporter itself, and calls `done` once, on the event loop.
    ///
    /// - Parameter body: called on the thread.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (BlackBoxReader) throws(BlackBoxRefusal) -> Value,
        _ done: @escaping (Result<Value, BlackBoxRefusal>) -> Void
    ) {
        guard hasRoom else { return done(.failure(.busy)) }
        reading += 1
        let finish = NIOLoopBound(
            { [self] (outcome: Result<Value, BlackBoxRefusal>) in
                reading -= 1
                done(outcome)
            }, eventLoop: loop)
        thread.run { [path, loop] in
            let outcome: Result<Value, BlackBoxRefusal>
            do throws(BlackBoxRefusal) {
                outcome = .success(try body(try BlackBoxReader.open(path)))
            } catch {
                outcome = .failure(error)
            }
            loop.execute { finish.value(outcome) }
        }
    }

    private var hasRoom: Bool { asking.count + reading < Self.mostWaiting }

    /// On the thread. Each question opens the database anew: the recorder may have put another one in its place.
    private static func answer(_ question: BlackBoxQuestion, _ path: String) -> Outcome {
        do throws(BlackBoxRefusal) {
            let reader = try BlackBoxReader.open(path)
            let json = try question.json(reader)
            return .success(MadeReport(json, stored: StoredLack(damagedParts: Int(clamping: reader.damagedCount))))
        } catch {
            return .failure(error)
        }
    }

    private func end(_ question: BlackBoxQuestion, _ outcome: Outcome) {
        for done in asking.removeValue(forKey: question) ?? [] { done(outcome) }
    }
}

extension BlackBoxReader {
    static func open(_ path: String) throws(BlackBoxRefusal) -> BlackBoxReader {
        do throws(DatabaseError) {
            return try BlackBoxReader(path: path)
        } catch {
            throw BlackBoxRefusal(error)
        }
    }
}
