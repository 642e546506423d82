/// Finds bytes among bytes in linear time, whatever they are (Knuth, Morris and Pratt).
struct ByteSearch: Sendable {
  let wanted: [UInt8]
  /// For each length of a part found: the length of the longest shorter part that is its beginning and its end.
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

  /// Where the bytes begin first at or behind `start`; nil when nowhere.
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
