// SPDX-License-Identifier: Apache-2.0
import Rings

extension AgentID {
    /// A UUID of version 4 (RFC 9562, section 5.4), for an agent whose identity's own id is taken.
    public static func random() -> AgentID {
        AgentID(
            high: .random(in: .min ... .max) & 0xffff_ffff_ffff_0fff | 0x4000,
            low: .random(in: .min ... .max) & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000)
    }
}
