// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A program as it was when this was opened: what is installed in its place later is another one.
public final class ProgramFile {
    /// Close-on-exec; closed with this object.
    public let descriptor: Int32
    /// What can be executed, by this process and those that it starts.
    public let path: String

    public init(_ file: String) throws(SystemError) {
        descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last(file) }
        path = Self.path(descriptor, else: file)
    }

    /// One that the program before this one in the same process has opened.
    ///
    /// - Parameter file: where it was.
    public init(adopting descriptor: Int32, file: String) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        path = Self.path(descriptor, else: file)
    }

    deinit { close(descriptor) }

    /// By this process's number and not as `self`: a child closes what it has inherited before it executes. Where /proc is
    /// not as it should be, the file's own name has to do.
    private static func path(_ descriptor: Int32, else file: String) -> String {
        let path = "/proc/\(getpid())/fd/\(descriptor)"
        return access(path, X_OK) == 0 ? path : file
    }
}
