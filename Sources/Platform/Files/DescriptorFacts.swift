// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The kernel's facts about a descriptor that came from elsewhere.
public enum DescriptorFacts {
    /// The file of a descriptor: the same for all descriptors of one file.
    public struct Identity: Hashable, Sendable {
        let device: UInt64
        let inode: UInt64
    }

    public enum Access: Sendable {
        case readOnly, writeOnly, readWrite
    }

    /// `nil` when it is not open.
    public static func identity(of descriptor: Int32) -> Identity? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// `nil` when it is not open.
    public static func access(of descriptor: Int32) -> Access? {
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0 else { return nil }
        return switch flags & O_ACCMODE {
        case O_RDONLY: .readOnly
        case O_WRONLY: .writeOnly
        default: .readWrite
        }
    }
}
