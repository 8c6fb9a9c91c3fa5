// SPDX-License-Identifier: Apache-2.0

/// An exporter's report on an ingest worker's data ring, for the supervisor: counters in the header of its command ring to
/// that worker. They mean nothing in a ring whose writer has another generation.
public enum RingCondition: Int, Sendable {
    /// 1 while the ring cannot be read on. It is no stall of the exporter's own.
    case stalled = 8
    /// The generation of the ingest worker whose ring is damaged for good, and is to be reset; 0: it is not.
    case damagedGeneration = 9
}
