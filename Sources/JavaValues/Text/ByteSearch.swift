/// Finds a byte sequence in linear time for any input (Knuth, Morris and Pratt).
struct ByteSearch: Sendable {
  let wanted: [UInt8]
  /// For each length of a matched prefix: the length of its longest shorter prefix that is also its
  /// suffix.
  private let shorter: [Int]

  init(_ wanted: [UInt8]) {
    self.wanted = wanted
    var shorter = [Int](repeating: 0, count: wanted.count)
    var length = 0
    for index in wanted.indices.dropFirst() {
      while length > 0, wanted[index] != wanted[length] { length = shorter[length - 1] }
      if wanted[index] == wanted[length] { length += 1 }
      shorter[index] = length
    }
    self.shorter = shorter
  }

  /// The first position at or after `start` where the sequence starts; nil if there is none.
  func first(in source: [UInt8], from start: Int) -> Int? {
    guard let first = wanted.first else { return start <= source.count ? start : nil }
    guard start <= source.count - wanted.count else { return nil }
    var length = 0
    var index = start
    while index < source.count {
      let byte = source[index]
      if length == 0 {
        guard byte == first else {
          index += 1
          continue
        }
      } else {
        while length > 0, wanted[length] != byte { length = shorter[length - 1] }
      }
      if wanted[length] == byte { length += 1 }
      index += 1
      if length == wanted.count { return index - length }
    }
    return nil
  }
}
