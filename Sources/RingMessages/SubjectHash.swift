// SPDX-License-Identifier: Apache-2.0

/// Names records of one type and agent by a hash of what tells them apart.
public enum SubjectHash {
    /// Of a text, the same in every process and after every restart. An agent that looks for collisions finds some, and
    /// overwrites its own records.
    public static func of(_ text: String) -> UInt64 {
        SipHash.hash128(Array(text.utf8), key: (0x666f_6463_2d73_7562, 0x6a65_6374_2d76_3031)).high
    }
}
