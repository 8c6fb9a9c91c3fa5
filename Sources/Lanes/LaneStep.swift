// SPDX-License-Identifier: Apache-2.0

/// The places in a change of a lane after which its writer may die and leave something else behind than before. Tests look
/// at the lane at each of them.
enum LaneStep: CaseIterable {
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
