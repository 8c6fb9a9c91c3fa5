// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// A value that one thread makes and another waits for, once.
public final class AwaitedValue<Value: Sendable>: @unchecked Sendable {
    private let value = Mutex<Value?>(nil)
    /// Made in `init`, freed in `deinit`.
    private let semaphore: UnsafeMutablePointer<sem_t>

    public init() {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    public func set(_ new: Value) {
        value.withLock { $0 = new }
        sem_post(semaphore)
    }

    /// Waits for the value, on one thread.
    public func wait() -> Value {
        while true {
            if let value = value.withLock({ $0 }) { return value }
            sem_wait(semaphore)
        }
    }
}
