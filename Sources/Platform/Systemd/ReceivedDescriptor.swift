// SPDX-License-Identifier: Apache-2.0

/// A descriptor that systemd handed over at the start, and what it calls it: the `FileDescriptorName=` of a socket unit,
/// or the `FDNAME` under which it was stored. Nothing has been checked but that it is open.
public struct ReceivedDescriptor: Equatable, Sendable {
    public let name: String
    /// Close-on-exec. The receiver owns it.
    public let descriptor: Int32

    public init(name: String, descriptor: Int32) {
        self.name = name
        self.descriptor = descriptor
    }
}
