/// Kafka's murmur2, so that a key goes to the same partition as with the Java client.
///
/// - Complexity: O(length of the key).
@inline(__always)
func murmur2(_ key: UnsafeRawBufferPointer) -> Int32 {
  let factor: UInt32 = 0x5bd1_e995
  var hash: UInt32 = 0x9747_b28c ^ UInt32(truncatingIfNeeded: key.count)
  var position = 0
  while key.count - position >= 4 {
    // Four bytes remain at `position`.
    var word = unsafe key.loadUnaligned(fromByteOffset: position, as: UInt32.self).littleEndian
    word = word &* factor
    word ^= word >> 24
    word = word &* factor
    hash = hash &* factor ^ word
    position += 4
  }
  let rest = key.count - position
  if rest == 3 { hash ^= UInt32(unsafe key[position + 2]) << 16 }
  if rest >= 2 { hash ^= UInt32(unsafe key[position + 1]) << 8 }
  if rest >= 1 {
    hash ^= UInt32(unsafe key[position])
    hash = hash &* factor
  }
  hash ^= hash >> 13
  hash = hash &* factor
  hash ^= hash >> 15
  return Int32(bitPattern: hash)
}

/// The partition of a key, as the Java client's default partitioner chooses it.
package func javaPartition(of key: UnsafeRawBufferPointer, among count: Int32) -> Int32 {
  unsafe (murmur2(key) & 0x7fff_ffff) % count
}
