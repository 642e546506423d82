import EventGeneration
import Plumbing

/// Values that are more than a number or a time.
extension Settings {
  /// `I/N`, I from 1 to N.
  static func shard(_ text: String) throws(UsageFailure) -> (index: Int, count: Int) {
    let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let index = numbers[0], let count = numbers[1], count <= 65_536,
      index >= 1, index <= count
    else {
      throw UsageFailure(
        "--shard: \(quoted(text)) is no part of a whole", hints: ["write 1/4, 2/4, 3/4 and 4/4"])
    }
    return (index - 1, count)
  }

  /// `N/day`.
  static func random(_ text: String) throws(UsageFailure) -> RandomAnomalies {
    let pieces = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let number = decimalNumber(String(pieces.first ?? "")), number > 0, number <= 1440,
      pieces.count == 1 || ["day", "d"].contains(pieces[1])
    else {
      throw UsageFailure(
        "--anomalies: \(quoted(text)) is no number a day from 0 to 1440", hints: ["write 3/day"])
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
      throw UsageFailure("--late: \(quoted(text)) is no share from 0 to 1")
    }
    dirt.late = share
    guard pieces.count > 1 else { return dirt }
    guard let span = Duration(spelling: String(pieces[1])), span >= .seconds(1),
      span <= .seconds(604_800)
    else {
      throw UsageFailure(
        "--late: \(quoted(String(pieces[1]))) is no span from 1s to 7d", hints: ["write 0.01:5m"])
    }
    dirt.lateness = Int64(span.inSeconds.rounded())
    return dirt
  }
}
