import Plumbing

/// All options of fake-events, and the text of its manual page.
extension Settings {
  static let count = Flag.option(
    "count", "n", value: "N", help: "end after N events; 10k, 2.5M and 1e6 are understood")
  static let rate = Flag.option(
    "rate", "r", value: "N", help: "mean events per second of event time (default 10)")
  static let seed = Flag.option(
    "seed", "s", value: "N", fallback: "1", help: "same seed, same span: same bytes")
  static let from = Flag.option(
    "from", value: "TIME",
    help: "start time: RFC 3339, a date, seconds since 1970, now, today, yesterday, -7d, +1h")
  static let to = Flag.option("to", value: "TIME", help: "end before that time")
  static let duration = Flag.option(
    "duration", value: "SPAN", help: "end after this much event time: 90s, 10m, 1h30m, 7d")
  static let speed = Flag.option(
    "speed", value: "X", help: "seconds of event time per second, or max")
  static let flat = Flag.toggle("flat", help: "a constant rate, without daily and weekly curves")
  static let users = Flag.option(
    "users", value: "N", help: "customers (default: 20,000 per event a second, 10,000 at least)")
  static let products = Flag.option(
    "products", value: "N", fallback: "10000", help: "products of the catalogue")
  static let like = Flag.file(
    "like",
    help: "events like those in FILE: rate by the hour, types, places, devices, products, prices")
  static let profile = Flag.option(
    "profile", value: "T:X,...", help: "multiply the rate over time, with ramps: 0:1,10m:5,11m:1")
  static let shard = Flag.option(
    "shard", value: "I/N",
    help: "this process's part of the events, I of N; the parts make the whole")
  static let anomaly = Flag.option(
    "anomaly", value: "SPEC", isRepeatable: true,
    help:
      "kind@start+span, then any of ,x=N ,ramp=2h ,country=.. ,city=.. ,device=.. ,product=.. ,event=.."
  )
  static let decoy = Flag.option(
    "decoy", value: "SPEC", isRepeatable: true,
    help: "as --anomaly, but big and expected: promotion, holiday or campaign")
  static let countries = Flag.option(
    "countries", value: "LIST", help: "only customers of these countries: Japan,India")
  static let randomAnomalies = Flag.option(
    "anomalies", value: "N/day", help: "random anomalies of all kinds")
  static let labels = Flag.file(
    "labels", help: "write labels of anomalies and faulty lines, as NDJSON"
  ).written
  static let late = Flag.option(
    "late", value: "P[:SPAN]", help: "share of lines that come late, by up to SPAN (2m)")
  static let duplicate = Flag.option(
    "duplicate", value: "P", help: "share of lines that come twice")
  static let malformed = Flag.option(
    "malformed", value: "P", help: "share of lines that also come as a broken copy")
  static let catalog = Flag.toggle("catalog", help: "write the products instead of events")

  static let flags: [Flag] = [
    count, from, to, duration, rate, flat, profile, speed, seed, users, products, countries, like,
    anomaly, decoy, randomAnomalies, labels, late, duplicate, malformed, shard, catalog,
  ]

  static let statuses: [(status: String, meaning: String)] = [
    ("0", "all was written, or the reader hung up"),
    ("64", "the command line is not valid, or --like has too few events"),
    ("74", "reading or writing failed"),
  ]

  static let prose: [String] = [
    "Sessions lead from view to click to purchase. Each customer has a city and usually one "
      + "device; each product has one price. The rate follows the hours of the day where the "
      + "customers live, in standard time.",
    "Without -n, --from and --to the events are live, ten a second. -n alone writes the "
      + "last N events before now. --from in the past writes everything up to now at full speed "
      + "and then follows the clock. -n with both ends and no rate spreads exactly N events "
      + "over the span.",
    "An anomaly is kind@start+span; the start is an offset from the start of the run (+10h) "
      + "or a time. spike and drop multiply the traffic (x=8), outage stops it, shift gives it "
      + "another level, checkout removes the purchases, stockout sells a product out, price "
      + "sets wrong prices, bulk, bot and fraud add customers of their kind (x a second), lag "
      + "delays events (d=5m), drift moves the level to x evenly over its span. With ramp=2h an "
      + "anomaly rises over two hours and fades over the last two before its end. country=, "
      + "city=, device=, product= and event= restrict it. --labels writes a line of JSON when "
      + "an anomaly opens and another when it closes; the events themselves are not labelled.",
    "A decoy has the same syntax. It is planned, so a detector should not report it: "
      + "promotion (x=3 times the visitors, off=0.2 off the prices), holiday (x=0.4 times the "
      + "traffic) and campaign (x=4 times the views). Its label says \"expected\":true; anomalies "
      + "accepts a file of labels as its calendar.",
    "--like FILE reads your own events, a JSON object on each line with the fields of the "
      + "shop's events (__time is accepted for timestamp; all other fields may be missing), and "
      + "writes events like them: the same mean rate, the same share of each hour of the day "
      + "(of each hour of the week, if FILE covers a week), of each event type, device, country "
      + "and city, and of each product with its price. Customers and sessions are invented; "
      + "FILE is read once, and nothing of a single line is kept. - is standard input.",
    "Late lines (--late, lag) are kept in memory up to about 10 MB and then in an unnamed "
      + "file in TMPDIR (/tmp).",
  ]
}
