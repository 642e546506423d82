import Druid

/// Writes numbers without an exponent: `1.5E10` becomes 15000000000, `1.0E-7` becomes 0.0000001.
/// The digits are kept, so nothing is rounded.
enum PlainNumber {
  static func append(_ line: RawSpan, _ cell: Cell, into block: inout ByteBlock) {
    var digits: [UInt8] = []
    var pointPlace: Int?
    var place = cell.start
    var isNegative = false
    var exponent: Int?
    while place < cell.end {
      let byte = line.byte(at: place)
      place += 1
      switch byte {
      case UInt8(ascii: "-"): isNegative = true
      case UInt8(ascii: "."): pointPlace = digits.count
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        exponent = whole(line, from: place, to: cell.end)
        place = cell.end
      default: digits.append(byte)
      }
    }
    // A double's exponent has at most three digits. A larger exponent stays as it is, so that zeros
    // can't fill the disk.
    guard let exponent, abs(exponent) <= 400 else {
      return block.append(line, from: cell.start, to: cell.end)
    }
    let point = (pointPlace ?? digits.count) + exponent
    let zero = UInt8(ascii: "0")
    if isNegative { block.append("-") }
    var before = Array(digits.prefix(max(0, point)))
    before += Array(repeating: zero, count: max(0, point - digits.count))
    before = Array(before.drop { $0 == zero })
    var behind = Array(repeating: zero, count: max(0, -point)) + digits.dropFirst(max(0, point))
    while behind.last == zero { behind.removeLast() }
    block.append(before.isEmpty ? [zero] : before)
    guard !behind.isEmpty else { return }
    block.append(".")
    block.append(behind)
  }

  private static func whole(_ line: RawSpan, from: Int, to: Int) -> Int? {
    var value = 0
    var sign = 1
    for place in from..<to {
      let byte = line.byte(at: place)
      if byte == UInt8(ascii: "-") {
        sign = -1
      } else if byte != UInt8(ascii: "+") {
        value = value * 10 + Int(byte - 0x30)
        if value > 1_000_000 { return nil }
      }
    }
    return sign * value
  }
}
