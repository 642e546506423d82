import EventGeneration
import Plumbing

/// Parses values other than numbers and times.
extension Settings {
  /// Parses a number with a suffix or an exponent: `10k`, `2.5M`, `1G`, `1e6`.
  private static func scaled(_ text: String) -> Double? {
    let scales: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9]
    if let last = text.last, let scale = scales[last] {
      return decimalNumber(String(text.dropLast())).map { $0 * scale }
    }
    return decimalNumber(text)
  }

  static func count(_ text: String) throws(UsageFailure) -> Int {
    let range = 0...1_000_000_000_000_000
    if let number = Int(text), range.contains(number) { return number }
    if let number = scaled(text), number == number.rounded(), number >= 0,
      number <= Double(range.upperBound)
    {
      return Int(number)
    }
    throw UsageFailure(
      "--count: \(quoted(text)) is not a whole number from 0 to \(range.upperBound)",
      hints: ["write 1000, 10k, 2.5M or 1e6"])
  }

  static func rate(_ text: String) throws(UsageFailure) -> Double {
    if let number = scaled(text), Model.rates.contains(number) { return number }
    throw UsageFailure(
      "--rate: \(quoted(text)) is not a number from \(Model.rates.lowerBound) to "
        + "\(Int(Model.rates.upperBound))")
  }

  /// Parses names of countries, ignoring case.
  static func countries(_ text: String, of world: World) throws(UsageFailure) -> Set<Int> {
    var chosen: Set<Int> = []
    for name in text.split(separator: ",", omittingEmptySubsequences: false) {
      let wanted = name.lowercased()
      guard let place = world.countries.firstIndex(where: { $0.lowercased() == wanted }) else {
        throw UsageFailure(
          "--countries: \(quoted(name)) is not a known country",
          hints: [
            didYouMean(String(name), among: world.countries) ?? "one of "
              + world.countries.prefix(50).joined(separator: ", ")
          ])
      }
      chosen.insert(place)
    }
    return chosen
  }

  /// Parses `I/N`, with I from 1 to N.
  static func shard(_ text: String) throws(UsageFailure) -> (index: Int, count: Int) {
    let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let index = numbers[0], let count = numbers[1], count <= 65_536,
      index >= 1, index <= count
    else {
      throw UsageFailure(
        "--shard: \(quoted(text)) is not a valid part I/N", hints: ["write 1/4, 2/4, 3/4 and 4/4"])
    }
    return (index - 1, count)
  }

  /// Parses `N/day`.
  static func random(_ text: String) throws(UsageFailure) -> RandomAnomalies {
    let pieces = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let number = decimalNumber(String(pieces.first ?? "")), number > 0, number <= 1440,
      pieces.count == 1 || ["day", "d"].contains(pieces[1])
    else {
      throw UsageFailure(
        "--anomalies: \(quoted(text)) is not a number a day from 0 to 1440", hints: ["write 3/day"])
    }
    return RandomAnomalies(perDay: number)
  }

  static func dirt(_ arguments: Arguments) throws(UsageFailure) -> Dirt {
    var dirt = Dirt()
    dirt.duplicate = try arguments.number(duplicate, in: 0...1) ?? 0
    dirt.malformed = try arguments.number(malformed, in: 0...1) ?? 0
    guard let text = arguments.text(late) else { return dirt }
    let pieces = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let share = decimalNumber(String(pieces[0])), (0...1).contains(share) else {
      throw UsageFailure("--late: \(quoted(text)) is not a share from 0 to 1")
    }
    dirt.late = share
    guard pieces.count > 1 else { return dirt }
    guard let span = Duration(spelling: String(pieces[1])), span >= .seconds(1),
      span <= .seconds(604_800)
    else {
      throw UsageFailure(
        "--late: \(quoted(String(pieces[1]))) is not a span from 1s to 7d", hints: ["write 0.01:5m"]
      )
    }
    dirt.lateness = Int64(span.inSeconds.rounded())
    return dirt
  }
}
