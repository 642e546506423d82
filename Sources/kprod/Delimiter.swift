import Glibc

/// The offset of the next delimiter from `start` on; `nil` when there is none.
///
/// - Complexity: O(bytes) for delimiters of one byte, and in practice for longer ones.
@inline(__always)
func position(
  of delimiter: [UInt8], in text: UnsafeRawBufferPointer, from start: Int
) -> Int? {
  guard let base = text.baseAddress, let first = delimiter.first else { return nil }
  var from = start
  while text.count - from >= delimiter.count {
    // `from` and everything up to `count` are inside the text.
    guard let found = unsafe memchr(base + from, Int32(first), text.count - from) else {
      return nil
    }
    let place = Int(bitPattern: found) - Int(bitPattern: base)
    if delimiter.count == 1 { return place }
    guard text.count - place >= delimiter.count else { return nil }
    var matched = 1
    while matched < delimiter.count, unsafe text[place + matched] == delimiter[matched] {
      matched += 1
    }
    if matched == delimiter.count { return place }
    from = place + 1
  }
  return nil
}
