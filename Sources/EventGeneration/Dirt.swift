/// Faults that happen to lines in transit: some arrive late, some twice, some broken.
///
/// Duplicates and broken lines are added to the clean lines, and late lines only move, so the clean
/// lines stay the same.
package struct Dirt: Equatable, Sendable {
  /// The share of lines that are late, and the maximum delay in seconds.
  package var late = 0.0
  package var lateness: Int64 = 120
  /// The share of lines that are repeated, at once or within ten seconds.
  package var duplicate = 0.0
  /// The share of lines that are followed by a broken copy.
  package var malformed = 0.0

  package init() {}

  var isClean: Bool { late == 0 && duplicate == 0 && malformed == 0 }

  /// Applies faults to the lines of a second; every draw is keyed by the line itself.
  func apply(to lines: inout [Line], seed: UInt64) {
    let key = Draw.mix(seed ^ DrawKey.dirt)
    var extra: [Line] = []
    for index in lines.indices {
      let bits = Draw.bits(key, lines[index].event.state ^ UInt64(lines[index].event.typeCode))
      let line = lines[index]
      if Draw.happens(Dirt.share(late), Draw.bits(bits, 1)) {
        lines[index].delay += delay(Draw.bits(bits, 2))
        lines[index].mark = .late
        lines[index].position = UInt32(truncatingIfNeeded: Draw.bits(bits, 3))
      }
      if Draw.happens(Dirt.share(duplicate), Draw.bits(bits, 4)) {
        extra.append(Dirt.second(of: line, Draw.bits(bits, 5)))
      }
      if Draw.happens(Dirt.share(malformed), Draw.bits(bits, 6)) {
        var broken = line
        let draw = Draw.bits(bits, 7)
        broken.mark = Line.Mark.faults[Int(Draw.below(UInt32(Line.Mark.faults.count), draw))]
        broken.position = UInt32(truncatingIfNeeded: draw)
        extra.append(broken)
      }
    }
    lines += extra
  }

  private static func share(_ value: Double) -> UInt64 {
    UInt64((value * 4_294_967_296).rounded())
  }

  /// Draws a delay from one second to ``lateness``; half of the remaining lines arrive in each
  /// eighth of it.
  private func delay(_ bits: UInt64) -> Int64 {
    let halves = Int64(min(8, bits.trailingZeroBitCount))
    let inside = Int64(bits >> 48)
    return max(1, min(lateness, (lateness * (halves << 16 + inside)) >> 19))
  }

  private static func second(of line: Line, _ bits: UInt64) -> Line {
    var copy = line
    copy.mark = .duplicate
    copy.delay += Int64(Draw.below(10, bits))
    let rest = UInt64(UInt32.max - line.position)
    copy.position =
      copy.delay == line.delay
      ? line.position + UInt32((rest * (bits & 0xffff)) >> 16)
      : UInt32(truncatingIfNeeded: bits)
    return copy
  }
}
