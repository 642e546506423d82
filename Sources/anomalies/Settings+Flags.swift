import Plumbing

/// All options of anomalies, and the text of its manual page.
extension Settings {
  static let time = Flag.option(
    "time", value: "FIELD", help: "the field that holds the time (--shop: default timestamp)")
  static let inputFormat = Flag.option(
    "input", value: "FORMAT", fallback: "ndjson", completion: .choices(["ndjson", "csv"]),
    help: "how the input is written: ndjson or csv (with a header)")
  static let value = Flag.option(
    "value", value: "FIELD", isRepeatable: true,
    help: "rows: the field that holds a value to watch")
  static let fillValue = Flag.option(
    "fill", value: "NUMBER", help: "rows: the value of a missing row")
  static let shop = Flag.toggle(
    "shop",
    help: "watch a shop: total, country, device and the 20 best products by seven measures")
  static let measure = Flag.option(
    "measure", value: "MEASURE", isRepeatable: true,
    help: "events: [NAME =] count, sum(..), mean(..), distinct(F) or ratio(A / B) [where ..]")
  static let by = Flag.option(
    "by", value: "FIELD[:N]", isRepeatable: true,
    help: "watch each value of FIELD, or the N largest; A,B watches pairs")
  static let every = Flag.option("every", value: "SPAN", help: "length of a bucket (events: 60s)")
  static let lag = Flag.option(
    "lag", value: "SPAN", help: "how late rows may arrive (events: 60s, rows: 0s)")
  static let lensName = Flag.option(
    "lens", value: "LENS", fallback: "flow", completion: .choices(["flow", "novelty"]),
    help: "flow: unlikely amounts; novelty: values never seen before")
  static let everyTime = Flag.toggle(
    "every-time", help: "novelty: raise an alarm again when such a value returns")
  static let rules = Flag.option(
    "rules", value: "RULES", fallback: "shipped", completion: .choices(["shipped", "reference"]),
    help: "flow: the shipped rules, or the reference in double precision")
  static let falseAlarms = Flag.option(
    "false-alarms", value: "RATE",
    help: "how many false alarms the whole run may raise: 1/d (default), 1/w, 2/month")
  static let scoreValue = Flag.option(
    "score", value: "S", help: "raise alarms from this score on instead (rows of one series: 3)")
  static let up = Flag.toggle("up", help: "only what is higher than expected")
  static let down = Flag.toggle("down", help: "only what is lower than expected")
  static let minChange = Flag.option(
    "min-change", value: "N|N%", help: "ignore smaller differences from the expected value")
  static let minImpact = Flag.option(
    "min-impact", value: "N", help: "report an incident once its impact is this large")
  static let warm = Flag.option(
    "warm", value: "SPAN", help: "raise no alarm for a key before it is this old")
  static let timeZone = Flag.option(
    "time-zone", value: "ZONE", fallback: "UTC",
    help: "the time zone of daily patterns, such as Europe/Berlin")
  static let silence = Flag.option(
    "silence", value: "SPAN", help: "report a key once when it has had no row for this long")
  static let live = Flag.toggle(
    "live", help: "close buckets by the clock as well (default: when a pipe's times are near now)")
  static let noLive = Flag.toggle("no-live", help: "close buckets by the rows' times only")
  static let calendarFile = Flag.file(
    "calendar",
    help: "expected events, as labels: reported as expected, without alarms or learning")
  static let state = Flag.file(
    "state", help: "continue from this file, and keep it up to date"
  ).written
  static let maxKeys = Flag.option(
    "max-keys", value: "N", fallback: "100000",
    help: "maximum number of keys; those unseen the longest are removed first")
  static let all = Flag.toggle("all", help: "write every bucket's score instead of incidents")
  static let outputFormat = Flag.option(
    "format", "f", value: "FORMAT", completion: .choices(["table", "csv", "ndjson"]),
    help: "table (default on a terminal), csv or ndjson")
  static let report = Flag.file(
    "report", help: "write an HTML report at the end"
  ).written
  static let labels = Flag.file("labels", help: "grade, backtest: the labels of the real anomalies")
  static let minFound = Flag.option(
    "min-found", value: "SHARE", help: "grade: return 1 when a smaller share was found")
  static let maxFalse = Flag.option(
    "max-false", value: "RATE", help: "grade: return 1 when more false incidents were raised")
  static let over = Flag.option(
    "over", value: "SPAN",
    help: "grade: how long was watched (default: from the first label or incident to the last)")

  static let flags: [Flag] = [
    time, inputFormat, shop, measure, by, every, lag, value, fillValue, lensName, everyTime, rules,
    falseAlarms, scoreValue, up, down, minChange, minImpact, warm, timeZone, silence, live, noLive,
    calendarFile, state, maxKeys, all, outputFormat, report, labels, minFound, maxFalse,
    over,
  ]

  static let statuses: [(status: String, meaning: String)] = [
    ("0", "all rows were read, or the reader hung up"),
    ("1", "some rows could not be used, or a grade misses its limit"),
    ("64", "the command line is not valid"),
    ("65", "the input, the state, the calendar or the labels can't be used"),
    ("74", "reading or writing failed"),
  ]

  static let prose: [String] = [
    "Events are counted into buckets of --every by their own time; a bucket closes when the "
      + "newest time is --lag after its end. Rows (--value) hold one number for each value "
      + "field and are judged as they come; with --by, rows of one time are judged together. "
      + "Each series is compared with its own level, hour of the day and of the week, and "
      + "dispersion, over four memories from one bucket to three hours, and with its last dozen "
      + "buckets.",
    "A score of S means that chance causes such an excursion exp(-S) times per series and "
      + "day: 3 is once in 20 days. --false-alarms sets the threshold for the whole run from "
      + "the number of its series. In the first two days of a series only the comparison with "
      + "its last dozen buckets raises alarms.",
    "An incident groups alarms that start within 30 minutes of each other. A line is "
      + "written when it opens, when its score doubles (worse), and when it closes, after 30 "
      + "minutes or three buckets without an alarm. key names the segments that explain the "
      + "change, as few as possible.",
    "A measure is count, sum(EXPRESSION), mean(EXPRESSION), distinct(FIELD) or ratio(PART / "
      + "PART), optionally with 'NAME =' before it and 'where CONDITION' after it. An "
      + "expression has fields, numbers, + - * / and parentheses; a condition compares a field "
      + "by = != < <= > >=, and conditions are joined with and, or, not. distinct is exact up "
      + "to 65,536 values of a key in a bucket and an estimate (HyperLogLog, 0.8 % off) beyond.",
    "Further commands: 'anomalies grade --labels FILE' reads incidents on standard input "
      + "and compares them with the labels; 'anomalies backtest [FILE]' shows which incidents "
      + "would have been raised, week by week.",
  ]
}
