import Kafka
import Plumbing

/// kprod's options.
extension Flag {
  static let brokers = Flag.option(
    "brokers", "b", value: "LIST", variable: "KAFKA_BROKERS",
    fallback: "localhost:29092,localhost:39092", help: "initial brokers, HOST:PORT,..."
  ).handedOn
  static let topic = Flag.option(
    "topic", "t", value: "NAME", variable: "KAFKA_TOPIC", completion: .answer("--list"),
    help: "the topic to send to")
  static let topicField = Flag.option(
    "topic-field", value: "FIELD",
    help: "the topic is this field of the JSON line; --topic is for lines without it")
  static let maximumTopics = Flag.option(
    "max-topics", value: "N", fallback: "20",
    help: "maximum number of topics; lines that name another are bad lines")
  static let property = Flag.option(
    "property", "X", value: "NAME=VALUE", isRepeatable: true,
    help: "any setting of librdkafka except secrets")
  static let properties = Flag.file(
    "properties", "F", isRepeatable: true,
    help: "settings of librdkafka from a file, including secrets"
  ).handedOn
  static let compression = Flag.option(
    "compression", "z", value: "CODEC",
    completion: .choices(["none", "gzip", "snappy", "lz4", "zstd"]),
    help: "how batches are compressed: none, gzip, snappy, lz4 or zstd")

  static let key = Flag.option(
    "key", "k", value: "KEY", help: "the same key for every message")
  static let keyDelimiter = Flag.option(
    "key-delimiter", "K", value: "DELIM",
    help: "a line is KEY DELIM VALUE; one without DELIM is a bad line")
  static let keyField = Flag.option(
    "key-field", value: "FIELD", help: "the key is this field of the JSON line; a.b walks objects")
  static let partition = Flag.option(
    "partition", "p", value: "N", help: "send all to this partition")
  static let header = Flag.option(
    "header", "H", value: "NAME=VALUE", isRepeatable: true, help: "a header for every message")
  static let timestampField = Flag.option(
    "timestamp-field", value: "FIELD",
    help: "the time of a message is this field: seconds, milliseconds or RFC 3339")
  static let envelope = Flag.toggle(
    "envelope", help: "lines are what 'kcat -C -J' prints: key, payload, headers and all")
  static let nullValue = Flag.toggle(
    "null-value", help: "an empty value is sent as null, a tombstone")
  static let delimiter = Flag.option(
    "delimiter", "D", value: "DELIM", fallback: "\\n",
    help: "what ends a line; \\n, \\t, \\0 and \\xHH are understood")

  static let failed = Flag.file(
    "failed", help: "append undelivered lines to FILE, unchanged"
  ).written
  static let failedReasons = Flag.file(
    "failed-reasons", help: "append the reason of each line of --failed to FILE, as JSON"
  ).written
  static let receipt = Flag.file(
    "receipt", help: "at the end replace FILE by one JSON object: counts, offsets, times"
  ).written
  static let acks = Flag.file(
    "acks", help: "append a JSON line for each message: line, partition, offset"
  ).written
  static let state = Flag.file(
    "state", help: "keep in FILE how far the input file was sent, and continue there"
  ).written
  static let onBad = Flag.option(
    "on-bad", value: "WHAT", fallback: "set-aside", completion: .choices(["set-aside", "stop"]),
    help: "a line that can't be sent: set-aside counts it and continues, stop ends")
  static let maximumLine = Flag.option(
    "max-line", value: "BYTES", fallback: "1000000", help: "a longer line is a bad line")
  static let wholeLines = Flag.toggle(
    "whole-lines", help: "a last line without its delimiter is a bad line")
  static let maximumRate = Flag.option(
    "max-rate", value: "N", help: "send no more than N lines a second")
  static let paceBy = Flag.option(
    "pace-by", value: "FIELD",
    help: "send lines at the pace of the times in this field")
  static let speed = Flag.option(
    "speed", value: "X", fallback: "1", help: "seconds of these times per second (with --pace-by)")

  static let wait = Flag.option(
    "wait", value: "TIME", help: "wait this long for the cluster and the topic")
  static let timeout = Flag.option(
    "timeout", value: "TIME", fallback: "2m",
    help: "give up when nothing was acknowledged for this long")
  static let drain = Flag.option(
    "drain", value: "TIME", fallback: "10s",
    help: "after a signal: how long to wait for acknowledgements")
  static let check = Flag.toggle(
    "check", help: "print the topic's partitions, check the permission to write, send nothing")
  static let list = Flag.toggle("list", help: "print the names of the topics, send nothing")
  static let dryRun = Flag.toggle(
    "dry-run", help: "read, parse and key all lines, without connecting or sending")
}

extension KProd {
  static let description = CommandDescription(
    name: "kprod",
    summary: "Sends lines to a Kafka topic and accounts for every one.",
    usage: ["[OPTION]... --topic NAME [FILE]..."],
    examples: [
      (
        command: "fake-events -n 1000 | kprod --topic ecommerce",
        meaning: "send a thousand events"
      ),
      (
        command: "kprod -t orders --key-field user.id --failed left.ndjson < orders.ndjson",
        meaning: "key by a field, keep what could not be delivered"
      ),
    ],
    flags: [
      .brokers, .topic, .topicField, .maximumTopics, .property, .properties, .compression, .key,
      .keyDelimiter, .keyField,
      .partition, .header, .timestampField, .envelope, .nullValue, .delimiter, .failed,
      .failedReasons, .receipt, .acks, .state, .metrics, .onBad,
      .maximumLine, .wholeLines, .maximumRate, .paceBy, .speed, .wait, .timeout, .drain, .check,
      .list, .dryRun,
    ],
    operand: "FILE",
    statuses: [
      ("0", "every line was acknowledged"),
      ("1", "some lines failed or are unknown; they were counted and named"),
      ("64", "the command line is not valid, or a setting is refused"),
      ("65", "a bad line, with --on-bad stop"),
      ("69", "no broker answers, or there is no such topic"),
      ("74", "reading standard input or writing a file failed"),
      (
        "75",
        "the time of --wait is used up, nothing was acknowledged for --timeout, or another run "
          + "uses --state"
      ),
      ("77", "credentials or permission"),
    ],
    libraries: { LinkedLibrary.ofKafka },
    prose: [
      "Every line ends in one of three states. Delivered: the cluster acknowledged it. "
        + "Failed: it is certainly not in the topic. Unknown: it was sent and no acknowledgement "
        + "came, so it may be there. The three counts add up to the lines that were read.",
      "A key goes to the partition that the Java client chooses (murmur2). Lines without a "
        + "key go to one partition for about a megabyte, then to the next. New partitions are "
        + "found within a minute; as with the Java client, keys are then placed among all of "
        + "them, so a key may move.",
      "Brokers may restart while lines are in flight: the producer is idempotent, so this "
        + "neither loses nor duplicates lines. No line times out while others are acknowledged, "
        + "so a slow cluster loses nothing. When nothing is acknowledged for --timeout, kprod "
        + "stops reading, accounts for what it has read, and exits with 75.",
      "kprod asks for the topic's limits once, if that is permitted, and sets aside lines "
        + "that the topic would refuse: lines that are too large, that have no key for a "
        + "compacted topic, or that have a time that the topic does not accept. When a broker "
        + "still refuses a batch, its lines are sent again in smaller batches or one by one, so "
        + "only the bad ones fail. Lines that follow such a batch may arrive before it.",
      "After SIGINT, SIGTERM or SIGHUP kprod reads what the pipe holds at that moment, closes "
        + "the pipe, and waits for acknowledgements for up to --drain. After SIGINT it ends by "
        + "that signal. After the others it does so only if everything was delivered, and "
        + "otherwise exits with 1. A second signal ends the wait: lines that are not acknowledged "
        + "by then are counted as failed or unknown. A line that the signal cut off is counted as "
        + "failed and written nowhere.",
      "The file of --failed has the lines unchanged, so it can be sent again: rename it, then "
        + "send it. This may duplicate unknown lines; the last message says how many there are. "
        + "--failed-reasons has a JSON line for each of its lines.",
      "--receipt replaces FILE with one JSON object at the end, also after a signal: the "
        + "cluster's id, the topic, the counts, and for each partition the first and last "
        + "acknowledged offset and time. 'dsql --reconcile FILE' waits until Druid has read "
        + "exactly these. --acks appends line, partition and offset of every message.",
      "--state FILE records how much of a file was sent (standard input or the only FILE "
        + "operand), so that the next run continues there. After a crash, the last lines may be "
        + "sent again. A last line without a newline is left for the next run. A file that was "
        + "replaced or shortened is read from the beginning, with a warning. Only one run at a "
        + "time may use a state.",
      "--topic-field FIELD sends each line to the topic that the field names; --envelope "
        + "without --topic sends each message to the topic that it came from. kprod asks for a "
        + "topic when the first line names it. A line is a bad line when it names no topic, when "
        + "the cluster does not have the topic, or when it would exceed --max-topics, which "
        + "protects against a wrong field. All topics share the connections.",
      "--metrics FILE holds kprod_lines_total, kprod_delivered_lines_total and others, for "
        + "node_exporter's textfile collector or a web server. The file is replaced atomically at "
        + "the start, every 15 seconds and at the end, when kprod_up is 0.",
      "--pace-by FIELD replays lines at the pace of their times; with --speed 60 an hour "
        + "takes a minute. A line whose time is missing, or earlier than that of a line before "
        + "it, is sent with the line before it. After a signal, lines of a file that are not yet "
        + "due are not sent.",
      "SCRAM with Kafka 4 needs librdkafka 2.6.1 or later: older versions send a wrong nonce. "
        + "--version shows the version in use. Debian 12 has 2.0.2, Debian 13 has 2.8.0; PLAIN "
        + "over TLS and client certificates work with all of them.",
    ])
}
