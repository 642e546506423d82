import Druid
import Plumbing

extension Flag {
  static let execute = Flag.option(
    "execute", "e", value: "SQL", isRepeatable: true,
    completion: .answer(
      "--csv --no-header -e \"SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES "
        + "WHERE TABLE_SCHEMA = 'druid'\"", behind: ["from", "join"]),
    help: "run these statements, before those of any FILE")
  static let format = Flag.option(
    "format", "f", value: "FORMAT", fallback: "table",
    completion: .choices(AnswerFormat.allCases.map(\.rawValue)),
    help: "how rows are written: table, csv, tsv, ndjson, json, vertical or markdown")
  static let csv = Flag.toggle("csv", help: "the same as --format csv")
  static let output = Flag.file(
    "output", "o",
    help: "write to FILE, whole or not at all; with %n in its name a file for each statement"
  ).written
  static let append = Flag.toggle("append", help: "add to the --output file as rows come")
  static let null = Flag.option("null", value: "TEXT", help: "write NULL as TEXT (not in JSON)")
  static let noHeader = Flag.toggle("no-header", help: "omit the column names")
  static let types = Flag.toggle("types", help: "show SQL types under the names (not in JSON)")
  static let plainNumbers = Flag.toggle(
    "plain-numbers", help: "write 15000000000 for 1.5E10, digit by digit")
  static let maximumRow = Flag.option(
    "max-row", value: "BYTES", fallback: "1073741824", help: "a longer row is an error")

  static let url = Flag.option(
    "url", "u", value: "URL", variable: "DRUID_URL", fallback: "http://localhost:8888",
    help: "Druid's router or broker"
  ).handedOn
  static let parameter = Flag.option(
    "param", "p", value: "[TYPE:]VALUE", isRepeatable: true,
    help: "a value for the next '?'; TYPE is text, int, double, bool, timestamp or null")
  static let namedParameter = Flag.option(
    "named-param", "P", value: "NAME=[TYPE:]VALUE", isRepeatable: true,
    help: "a value for each ':NAME'")
  static let context = Flag.option(
    "context", "c", value: "NAME=VALUE", isRepeatable: true,
    help: "set a query context parameter, as SET does in a script")
  static let timeZone = Flag.option(
    "time-zone", value: "ZONE", help: "the zone of times, such as Europe/Berlin (sqlTimeZone)")
  static let timeout = Flag.option(
    "timeout", value: "DURATION", help: "the time a statement may take, at the server too")
  static let exact = Flag.toggle(
    "exact", help: "make COUNT(DISTINCT) and top lists exact instead of estimated")
  static let explain = Flag.toggle("explain", help: "ask for each statement's plan, not its rows")
  static let complete = Flag.toggle(
    "complete", help: "fail when a published segment of the queried tables is not available")
  static let rowLimit = Flag.option(
    "row-limit", value: "N",
    help: "write N rows of an answer at most; exit 1 when there are more")
  static let receipt = Flag.file(
    "receipt", help: "write a JSON line about each answer to FILE: whole or not, rows, SHA-256"
  ).written
  static let reconcile = Flag.file(
    "reconcile", isRepeatable: true,
    help: "instead of SQL: follow the lines of a kprod receipt into Druid, and count them")
  static let within = Flag.option(
    "within", value: "DURATION", fallback: "60s",
    help: "how long to wait until they are read (with --reconcile)")
  static let keepGoing = Flag.toggle(
    "keep-going", "k", help: "continue after a statement that fails, and exit 1 at the end")

  static let retry = Flag.option(
    "retry", value: "DURATION", fallback: "10s",
    help: "how long to retry when Druid is busy or lost a server")
  static let wait = Flag.option(
    "wait", value: "DURATION", help: "also wait for Druid to come up, and for unknown tables")
  static let caughtUp = Flag.option(
    "caught-up", value: "DURATION",
    help:
      "wait until the tables' supervisors report, after the call, that they have read everything")

  static let watch = Flag.option(
    "watch", value: "DURATION",
    help: "run repeatedly at this interval; on a terminal, over the last answer")
  static let follow = Flag.option(
    "follow", value: "DURATION",
    help: "run again for each closed window of this length; its two '?' are the window's ends")
  static let lag = Flag.option(
    "lag", value: "DURATION", fallback: "60s", help: "how long rows may be late (with --follow)")
  static let since = Flag.option(
    "since", value: "TIME", fallback: "now",
    help: "where to start: RFC 3339, a date, epoch seconds, -7d (with --follow)")
  static let state = Flag.file(
    "state", help: "keep the progress in FILE, and continue there (with --follow)"
  ).written

  static let caCertificate = Flag.file(
    "ca-cert", help: "trust the authorities in FILE (PEM)"
  ).handedOn
  static let clientCertificate = Flag.file("client-cert", help: "the client's certificate (PEM)")
  static let clientKey = Flag.file("client-key", help: "the key of --client-cert (PEM)")
  static let insecure = Flag.toggle("insecure", help: "do not check the server's certificate")
  static let compressed = Flag.toggle("compressed", help: "ask for compressed answers")
}

extension DSQL {
  static let description = CommandDescription(
    name: "dsql",
    summary: "Ask Druid in SQL, and get the whole answer or an error.",
    usage: ["[OPTION...] [FILE...]", "[OPTION...] -e SQL"],
    examples: [
      ("dsql -f csv < druid.sql > today.csv", "a script's answers, a header for each"),
      (
        "dsql -e 'SELECT COUNT(*) FROM ecommerce WHERE country = ?' -p Japan",
        "a value that needs no quoting"
      ),
      ("dsql --caught-up 60s -f ndjson query.sql | jq .", "after all that was sent is read"),
      (
        "dsql --follow 60s -f ndjson minutes.sql | kprod -t alerts",
        "each minute once it is over, as a service"
      ),
    ],
    flags: [
      .execute, .format, .csv, .output, .append, .null, .noHeader, .types, .plainNumbers,
      .maximumRow,
      .url, .parameter, .namedParameter, .context, .timeZone, .timeout, .exact, .explain, .complete,
      .rowLimit,
      .receipt, .keepGoing,
      .retry, .wait, .caughtUp, .reconcile, .within, .watch, .follow, .lag, .since, .state,
      .metrics,
      .caCertificate, .clientCertificate, .clientKey, .insecure, .compressed,
    ],
    operand: "FILE",
    statuses: [
      ("0", "every answer is whole, or the reader of the output left"),
      ("1", "an answer was cut or limited, data were missing, or statements failed under -k"),
      ("64", "the command line is not valid"),
      ("65", "the SQL was refused, or a quote or comment in a script is not closed"),
      ("69", "the server is not reachable or not a Druid, or it failed"),
      ("74", "a file can't be read or written"),
      ("75", "a time limit or a wait was used up, or Druid is busy: try again"),
      ("77", "credentials or permission"),
    ],
    variables: [
      ("DRUID_USER", "the user name, with one of the next two; otherwise netrc is read"),
      ("DRUID_PASSWORD", "the password"),
      ("DRUID_PASSWORD_FILE", "a file with the password"),
      ("DRUID_TOKEN_FILE", "a file with a bearer token, read again for each request"),
      ("NETRC", "the netrc file instead of ~/.netrc"),
      ("http_proxy", "a proxy, with https_proxy, all_proxy and no_proxy, as curl knows them"),
      ("PAGER", "the pager for long answers at a prompt (default: less)"),
      ("DSQL_HISTORY", "the file of the prompt's history instead of ~/.dsql_history"),
    ],
    libraries: { LinkedLibrary.ofDruid },
    prose: [
      "dsql reads SQL from standard input, files or --execute, sends one statement after the "
        + "other, and writes rows as they arrive. Statements end at ';', which the last one does "
        + "not need. 'SET name = literal;' applies to the statements after it.",
      "When an answer fails half-way, Druid ends it like a complete one. dsql recognizes a "
        + "complete answer by its end mark, and reports 'cut after N rows' otherwise, in every "
        + "format.",
      "Credentials come from the environment or from ~/.netrc, and are not sent to another "
        + "host after a redirection.",
      "With --follow the statement's first two '?' are the start and the end of a window, for "
        + "'__time >= ? AND __time < ?'; days and hours are in UTC. A window is queried --lag "
        + "after its end, and its rows are written when all of them have arrived. With --state "
        + "each window is queried once, even over restarts; after a kill in the middle of a "
        + "window, that window is queried again, and a warning says so.",
    ],
    // Those of the client that comes with Druid.
    foreignOptions: [
      "-H": "--url http://HOST:PORT, or DRUID_URL, names the server",
      "--host": "--url http://HOST:PORT, or DRUID_URL, names the server",
      "--user": "set DRUID_USER and DRUID_PASSWORD_FILE, or write ~/.netrc",
      "--header": "a header is written unless --no-header is given",
      "--tsv-delimiter": "-f tsv separates by tabs, -f csv by commas",
      "--context-option": "-c NAME=VALUE sets a query context parameter",
      "--cacert": "--ca-cert FILE", "--cert": "--client-cert FILE", "--key": "--client-key FILE",
      "--ignore-ssl-verification": "--insecure",
    ])
}
