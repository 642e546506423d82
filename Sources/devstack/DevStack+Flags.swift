import EmbeddedDruid
import EmbeddedKafka
import Plumbing

/// All options of devstack, and the text of its manual page.
extension Flag {
  static let owner = Flag.option(
    "owner", value: "PID",
    help: "without a command: end when process PID has ended; $$ is the shell")
  static let port = Flag.option(
    "port", value: "N", fallback: "0",
    help: "serve Druid on 127.0.0.1:N; 0 lets the system choose")
  static let kafkaPort = Flag.option(
    "kafka-port", value: "N", fallback: "0",
    help: "serve Kafka on 127.0.0.1:N; 0 lets the system choose")
  static let supervisor = Flag.file(
    "supervisor", isRepeatable: true,
    help: "a Kafka supervisor spec (JSON) to start with, in addition to the one for ecommerce")
  static let datasource = Flag.option(
    "datasource", value: "NAME[=TOPIC][:COLUMN]", isRepeatable: true,
    help: "query a topic under NAME, with the time of COLUMN; 'message': its own time")

  static let load = Flag.option(
    "load", value: "FILE[=TOPIC]", isRepeatable: true, completion: .file,
    help: "append a file's lines to a topic (named as the file) before the command starts")
  static let fault = Flag.option(
    "fault", value: "SPEC", isRepeatable: true,
    help: "simulate a failure, such as cut@rows=10,x3; see FAULTS in the manual")
  static let spec = Flag.option(
    "spec", value: "NAME[=TOPIC][:COLUMN]",
    help: "print a specification for a sample of messages on standard input, and end")
  static let classify = Flag.file(
    "classify",
    help: "print for each statement of a script or request log whether it is answered, and end")
}

extension DevStack {
  static let description = CommandDescription(
    name: "devstack",
    summary: "Run a command with a Kafka broker and a Druid of its own, in one process.",
    usage: ["[OPTION]... [--] COMMAND [ARGUMENT]...", "[OPTION]..."],
    examples: [
      (
        "devstack -- sh -c 'fake-events -n 1000 | kprod -t ecommerce; dsql druid.sql'",
        "send a thousand events and ask for the tables"
      ),
      (
        "eval \"$(devstack --owner $$ --port 8888 --kafka-port 29092 &)\"",
        "serve this shell at the real stack's ports, until the shell ends"
      ),
    ],
    flags: [.port, .kafkaPort, .owner, .supervisor, .datasource, .load, .fault, .spec, .classify],
    operand: "COMMAND", operandsEndOptions: true,
    statuses: [
      ("N", "the command's own status"),
      (
        "1",
        "the command returned 0, but acknowledged records were lost; a sample's messages, or"
          + " statements to classify, were refused"
      ),
      ("64", "the command line is not valid"),
      ("65", "a supervisor spec, or a sample, can't be used"),
      ("69", "a port is taken"),
      ("74", "the temporary folder can't be used"),
      ("126", "the command can't be run"),
      ("127", "the command was not found"),
      ("128+N", "signal N killed the command"),
    ],
    variables: [
      ("TMPDIR", "the folder for temporary files (/tmp)"),
      ("KAFKA_BROKERS", "set for the command: the address of Kafka"),
      ("DRUID_URL", "set for the command: the address of Druid"),
    ],
    libraries: { LinkedLibrary.ofEmbeddedDruid + LinkedLibrary.ofEmbeddedKafka },
    prose: [
      "The command finds KAFKA_BROKERS and DRUID_URL in its environment. Both servers listen on"
        + " 127.0.0.1 only and end with the command. Their data is in unnamed files under TMPDIR"
        + " (/tmp), so nothing is left behind.",
      "Without a command, devstack prints lines for the shell that export KAFKA_BROKERS,"
        + " DRUID_URL and DEVSTACK_PID as soon as it is ready, and stays until SIGINT or SIGTERM,"
        + " or until the process of --owner has ended. eval hides a failure to start: devstack then"
        + " unsets the three variables, so check whether DEVSTACK_PID is set.",
      "Ctrl-C reaches the command directly. devstack ignores SIGINT and SIGQUIT while the command"
        + " runs, forwards SIGTERM and SIGHUP, and serves until the command has ended.",
      "Any topic of JSON objects with a usable time is a datasource with its name, and has the columns"
        + " and types of Druid's schema discovery. The time is the first of the fields timestamp, ts,"
        + " time, __time and @timestamp that holds ISO 8601 text or a number of seconds,"
        + " milliseconds, microseconds or nanoseconds; --datasource names another. A supervisor spec"
        + " that is posted later replaces it and reads the topic from its beginning. Messages that"
        + " can't become rows are reported on standard error, once at first and again at the end.",
      "The console at DRUID_URL shows topics and datasources, and runs SQL. GET /devstack/log"
        + " returns the last requests as NDJSON.",
      "FAULTS. --fault, or POST /devstack/faults with one fault a line (DELETE cancels all),"
        + " requests a failure: NAME[=VALUE][,xN][,p=P][,seed=N][,after=SPAN][,on=TARGET]. It occurs"
        + " N times, with probability P, after SPAN, for requests of one kind. "
        + Stack.faultKinds.map {
          "\($0.usage) (\($0.targets.joined(separator: ", "))): \($0.meaning)"
        }
        .joined(separator: "; ") + ".",
      "devstack is for trying and testing. Its Kafka has no replication, no retention, no"
        + " transactions and no TLS, its Druid has no real segments, and all data ends with the"
        + " process. A topic is created when it is first used, with 4 partitions.",
    ])
}
