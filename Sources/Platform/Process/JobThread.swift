// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// A thread of its own that runs jobs one after the other. It is there when this has been made: at the limit of tasks (a
/// pids cgroup, `TasksMax=`, `RLIMIT_NPROC`) that fails with an error, and nothing fails when the first job comes.
public final class JobThread: @unchecked Sendable {
    public typealias Job = @Sendable () -> Void

    private struct Queue {
        var jobs: [Job] = []
        var isEnding = false
    }

    private let name: String
    private let queue = Mutex(Queue())
    /// Raised with each job; made in `init`, freed in `deinit`, which comes after the thread's end.
    private let semaphore: UnsafeMutablePointer<sem_t>

    /// - Parameter name: as `ps` and debuggers show it, 15 bytes at most.
    public init(name: String) throws(SystemError) {
        self.name = name
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
        // The thread keeps this object until it ends.
        let context = Unmanaged.passRetained(self)
        do {
            try Self.start(context.toOpaque()) { context in
                guard let context else { return nil }
                let thread = Unmanaged<JobThread>.fromOpaque(context).takeRetainedValue()
                thread.runJobs()
                return nil
            }
        } catch {
            context.release()
            throw error
        }
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    /// Whether there is room for one more thread, by making one that ends at once: for threads that others make, in ways
    /// that cannot fail.
    public static func checkRoom() throws(SystemError) {
        try JobThread(name: "check").stop()
    }

    /// Jobs are run in the order in which they are given, none after ``stop()``.
    public func run(_ job: @escaping Job) {
        queue.withLock { queue in
            if !queue.isEnding { queue.jobs.append(job) }
        }
        sem_post(semaphore)
    }

    /// Ends the thread after what it has been given.
    public func stop() {
        queue.withLock { $0.isEnding = true }
        sem_post(semaphore)
    }

    private func runJobs() {
        // On another thread than the main one it names that thread.
        ProcessName.set(name)
        while true {
            while sem_wait(semaphore) != 0 {}
            let (jobs, isEnding) = queue.withLock { queue in
                defer { queue.jobs = [] }
                return (queue.jobs, queue.isEnding)
            }
            for job in jobs { job() }
            if isEnding { return }
        }
    }

    private static func start(
        _ context: UnsafeMutableRawPointer,
        _ body: @escaping @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?
    ) throws(SystemError) {
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let code = pthread_create(&thread, &attributes, body, context)
        guard code == 0 else { throw SystemError(call: "pthread_create", code: code) }
    }
}
