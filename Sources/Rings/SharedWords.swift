// SPDX-License-Identifier: Apache-2.0
import CPlatform

/// Words of a mapping that other processes read while this one writes, or the other way round.
///
/// Safe because: `base` is the start of a mapping that the owner of this value keeps alive; every offset is a constant of
/// the layout or was checked against it; and each access is one atomic operation on an aligned word, so there is no data
/// race whatever the other process does.
struct SharedWords {
    let base: UnsafeMutableRawPointer

    @inline(__always)
    private func word(_ offset: Int) -> UnsafeMutablePointer<UInt64> {
        assert(offset % RingLayout.wordBytes == 0, "words are aligned")
        return (base + offset).assumingMemoryBound(to: UInt64.self)
    }

    @inline(__always)
    func loadRelaxed(_ offset: Int) -> UInt64 { fodc_word_load_relaxed(word(offset)) }

    @inline(__always)
    func loadAcquire(_ offset: Int) -> UInt64 { fodc_word_load_acquire(word(offset)) }

    @inline(__always)
    func storeRelaxed(_ offset: Int, _ value: UInt64) { fodc_word_store_relaxed(word(offset), value) }

    @inline(__always)
    func storeRelease(_ offset: Int, _ value: UInt64) { fodc_word_store_release(word(offset), value) }
}
