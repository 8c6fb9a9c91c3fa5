// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// A pipe that no program has which another test starts meanwhile: whoever reads would wait for that program's end.
public func closeOnExecPipe() throws -> (reader: Int32, writer: Int32) {
    // pipe2(2) is not in Swift's Glibc module. A program of this package is linked with the C library that has it.
    typealias Pipe2 = @convention(c) (UnsafeMutablePointer<Int32>, Int32) -> Int32
    guard let symbol = dlsym(nil, "pipe2") else { throw SystemError.last("pipe2") }
    var ends: [Int32] = [-1, -1]
    guard unsafeBitCast(symbol, to: Pipe2.self)(&ends, O_CLOEXEC) == 0 else { throw SystemError.last("pipe2") }
    return (ends[0], ends[1])
}
