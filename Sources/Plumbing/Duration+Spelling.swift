/// Spans of time as people write them at a shell.
extension Duration {
  /// `250ms`, `10s`, `5m`, `1h30m`, `7d`, `2w`; a bare number counts seconds; a fraction is allowed (`1.5h`).
  package init?(spelling: String) {
    var total = 0.0
    var rest = spelling[...]
    guard !rest.isEmpty else { return nil }
    if let seconds = decimalNumber(spelling), seconds >= 0 {
      total = seconds
      rest = ""
    }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest[digits.endIndex...]
      let letters = rest.prefix { $0.isASCII && $0.isLetter }
      rest = rest[letters.endIndex...]
      guard let number = decimalNumber(String(digits)), let unit = Self.units[String(letters)]
      else { return nil }
      total += number * unit
    }
    // Spans beyond 10,000 years are refused, far below where Duration overflows.
    guard total <= 3.2e11 else { return nil }
    let whole = total.rounded(.down)
    self.init(
      secondsComponent: Int64(whole),
      attosecondsComponent: Int64(((total - whole) * 1e9).rounded()) * 1_000_000_000)
  }

  private static let units: [String: Double] = [
    "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800,
  ]

  /// The span in milliseconds for poll(2): rounded up, at most `Int32.max`.
  package var pollMilliseconds: Int32 {
    let (seconds, attoseconds) = components
    guard seconds < 2_000_000 else { return Int32.max }
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }

  /// The span in seconds.
  package var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }

  /// The span in seconds, to the millisecond, as `--summary` shows it.
  package var inRoundedSeconds: Double { (inSeconds * 1000).rounded() / 1000 }
}
