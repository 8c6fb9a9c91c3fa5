// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

// The functions that libFuzzer calls. `FUZZ_TARGET` names the target; `FUZZ_WRITE_SEEDS` names a folder into which the
// seeds are written instead of a run, and `FUZZ_LIST=1` prints the targets with the longest input of each.
// `FUZZ_VARIANTS=16` runs each input of libFuzzer and 16 mutations of it, always the same ones: after each run of its own
// libFuzzer looks through the counters of the whole program, which takes longer than most inputs do.

private func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

private func complain(_ text: String) { _ = StandardError.write(Array("fodc-fuzz: \(text)\n".utf8)) }

private let target: FuzzTarget = {
    let name = environment("FUZZ_TARGET") ?? ""
    guard let target = FuzzTarget.named(name) else {
        let names = FuzzTarget.all.map(\.name).joined(separator: ", ")
        complain("FUZZ_TARGET=\(name) is no target; there are \(names)")
        exit(2)
    }
    return target
}()

private let variantCount: UInt64 = {
    guard let text = environment("FUZZ_VARIANTS") else { return 0 }
    guard let count = UInt64(text), count <= 1000 else {
        complain("FUZZ_VARIANTS=\(text) is not a number from 0 to 1000")
        exit(2)
    }
    return count
}()

@_cdecl("LLVMFuzzerInitialize")
public func initializeFuzzer(
    _ argumentCount: UnsafeMutablePointer<Int32>?,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> Int32 {
    if environment("FUZZ_LIST") != nil {
        for target in FuzzTarget.all { print(target.name, target.limitBytes) }
        exit(0)
    }
    if let folder = environment("FUZZ_WRITE_SEEDS") {
        do {
            for (number, seed) in try target.seeds().enumerated() { try write(seed, to: "\(folder)/seed-\(number)") }
        } catch {
            complain("no seeds of \(target.name): \(error)")
            exit(1)
        }
        exit(0)
    }
    return 0
}

private func write(_ bytes: [UInt8], to path: String) throws {
    guard let file = fopen(path, "w") else { throw Finding("\(path) cannot be written: errno \(errno)") }
    defer { fclose(file) }
    guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
        throw Finding("\(path) cannot be written: errno \(errno)")
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func runInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // libFuzzer owns the bytes until this returns; they are copied.
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    do {
        try target.run(bytes)
        // FNV-1a: other inputs get other mutations.
        let hash = bytes.reduce(14_695_981_039_346_656_037 as UInt64) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        for number in 0..<variantCount {
            let variant = Mutation.of([bytes], seed: hash &+ number)
            try target.run(variant.count > target.limitBytes ? Array(variant.prefix(target.limitBytes)) : variant)
        }
    } catch {
        complain("finding in \(target.name): \(error)")
        abort()
    }
    return 0
}
