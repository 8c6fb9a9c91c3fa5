// SPDX-License-Identifier: Apache-2.0

/// The places in a change of a ring after which its writer may die and leave something else behind than before. Tests look
/// at the ring at each of them.
enum RingStep: CaseIterable {
    case payloadWritten
    case headerWritten
    case headPublished
    case slotHalfWritten
    case slotPublished
    case tailPublished
    case carryCopied
    case carryPublished
    case forgotten
    case slotClaimed
    case slotReleased
    case areaProvided
    case areaCopied
    case areaPublished
    case areaReleased
}
