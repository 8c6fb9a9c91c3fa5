// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A program as it was when this was opened: what is installed in its place later is another one.
public final class ProgramFile {
    /// Close-on-exec; closed with this object. `nil`: the file may be executed but not read, so its name has to do.
    public let descriptor: Int32?
    /// Where it was.
    public let file: String

    public init(_ file: String) throws(SystemError) {
        self.file = file
        let opened = open(file, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 || errno == EACCES else { throw .last(file) }
        descriptor = opened >= 0 ? opened : nil
    }

    /// One that the program before this one in the same process has opened.
    public init(adopting descriptor: Int32?, file: String) {
        (self.descriptor, self.file) = (descriptor, file)
        if let descriptor { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }

    deinit { if let descriptor { close(descriptor) } }

    /// The path that a child of this process executes; ``file`` where it may not look into this process, as when that has rights
    /// which the child has not. By this process's number and not as `self`: a child closes what it has inherited first.
    public var path: String { descriptor.map { "/proc/\(getpid())/fd/\($0)" } ?? file }
}
