import Glibc
import Kafka
import Plumbing

extension RecordForm {
  /// Reads how lines become messages from the command line.
  init(_ arguments: Arguments) throws(UsageFailure) {
    self.init()
    delimiter = try bytes(of: .delimiter, in: arguments) ?? [0x0a]
    let keyFlags = [Flag.key, .keyDelimiter, .keyField].filter { arguments.isSet($0) }
    if keyFlags.count > 1 {
      throw UsageFailure("\(keyFlags[0].spelling) and \(keyFlags[1].spelling) exclude each other")
    }
    if let text = arguments.text(.key) {
      key = .fixed(Array(text.utf8))
    } else if let bytes = try bytes(of: .keyDelimiter, in: arguments) {
      key = .delimited(by: bytes)
    } else if let path = try path(of: .keyField, in: arguments) {
      key = .field(path)
    }
    timestampField = try path(of: .timestampField, in: arguments)
    isEnvelope = arguments.isSet(.envelope)
    if isEnvelope, let other = keyFlags.first ?? (timestampField == nil ? nil : .timestampField) {
      throw UsageFailure("--envelope and \(other.spelling) exclude each other")
    }
    topicField = try path(of: .topicField, in: arguments)
    if isEnvelope, topicField != nil {
      throw UsageFailure(
        "--envelope and --topic-field exclude each other",
        hints: ["--envelope alone takes the topic of each envelope"])
    }
    usualTopic = topicField == nil ? nil : arguments.text(.topic)
    let namesTopic = arguments.text(.topic)?.isEmpty == false
    hasEnvelopeTopics = isEnvelope && !namesTopic
    maximumTopics = try arguments.integer(.maximumTopics, in: 1...1000) ?? 20
    if arguments.isSet(.maximumTopics), !hasTopics {
      throw UsageFailure("--max-topics needs --topic-field, or --envelope without --topic")
    }
    paceField = try path(of: .paceBy, in: arguments)
    speed = try arguments.number(.speed, in: 1e-6...1e9) ?? 1
    if arguments.isSet(.speed), paceField == nil { throw UsageFailure("--speed needs --pace-by") }
    emptyIsNull = arguments.isSet(.nullValue)
    partition = try arguments.integer(.partition, in: 0...Int(Int32.max)).map { Int32($0) }
    maximumLength = try arguments.integer(.maximumLine, in: 1...999_000_000) ?? 1_000_000
    wholeLinesOnly = arguments.isSet(.wholeLines)
    stopsAtBadLine = arguments.text(.onBad) == "stop"
    maximumRate = try arguments.number(.maximumRate, in: 0.001...1e9)
  }
}

/// The parts of a path such as `a.b`.
private func path(of flag: Flag, in arguments: Arguments) throws(UsageFailure) -> [String]? {
  guard let text = arguments.text(flag) else { return nil }
  let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
  if parts.contains("") {
    throw UsageFailure(
      "\(flag.spelling): \(quoted(text)) is not a valid field",
      hints: ["write name, or outer.inner"])
  }
  return parts
}

/// Parses a delimiter: text with `\n`, `\t`, `\r`, `\0`, `\\` and `\xHH`.
private func bytes(of flag: Flag, in arguments: Arguments) throws(UsageFailure) -> [UInt8]? {
  guard let text = arguments.text(flag) else { return nil }
  var result: [UInt8] = []
  var rest = Array(text.utf8)[...]
  while let byte = rest.popFirst() {
    guard byte == UInt8(ascii: "\\"), let letter = rest.popFirst() else {
      result.append(byte)
      continue
    }
    switch letter {
    case UInt8(ascii: "n"): result.append(0x0a)
    case UInt8(ascii: "t"): result.append(0x09)
    case UInt8(ascii: "r"): result.append(0x0d)
    case UInt8(ascii: "0"): result.append(0)
    case UInt8(ascii: "\\"): result.append(letter)
    case UInt8(ascii: "x") where rest.count >= 2:
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      guard let value = UInt8(digits, radix: 16) else {
        throw UsageFailure("\(flag.spelling): \(quoted(text)): \\x needs two hexadecimal digits")
      }
      rest = rest.dropFirst(2)
      result.append(value)
    default: throw UsageFailure("\(flag.spelling): \(quoted(text)) has an unknown escape")
    }
  }
  if result.isEmpty { throw UsageFailure("\(flag.spelling): a delimiter can't be empty") }
  return result
}

extension ClientSettings {
  /// Reads where and how to send from the command line and the files it names.
  init(_ arguments: Arguments, form: RecordForm) throws {
    var fromFiles: [Property] = []
    for path in arguments.all(.properties) {
      fromFiles += try ClientSettings.properties(file: try SmallFile.readText(path), named: path)
    }
    let given = try arguments.all(.property).map { try ClientSettings.property(argument: $0) }
    let named = (fromFiles + given).last {
      $0.name == "bootstrap.servers" || $0.name == "metadata.broker.list"
    }
    let brokers =
      arguments.isSet(.brokers)
      ? arguments.text(.brokers) : named?.value ?? arguments.text(.brokers)
    let topic = arguments.text(.topic) ?? ""
    let needsTopic = !arguments.isSet(.dryRun) && !arguments.isSet(.list) && !form.hasTopics
    if topic.isEmpty, needsTopic {
      throw UsageFailure("no topic is named", hints: ["--topic NAME, or KAFKA_TOPIC"])
    }
    if !topic.isEmpty, !isTopicName(topic) {
      throw UsageFailure(
        "\(arguments.origin(of: .topic)): \(quoted(topic)) is not a valid topic name",
        hints: ["letters, digits, '.', '_' and '-', at most 249 of them"])
    }
    if !arguments.isSet(.dryRun) {
      try checkBrokers(brokers ?? "", origin: arguments.origin(of: .brokers))
    }
    self.init(brokers: brokers ?? "", topic: topic)
    properties = fromFiles + given
    compression = arguments.text(.compression)
    timeout = try arguments.duration(.timeout) ?? .seconds(120)
    if timeout < .milliseconds(10) || timeout > .seconds(2_000_000) {
      throw UsageFailure("--timeout: a time from 10ms to 23d is needed")
    }
    maximumLineLength = form.maximumLength
    headers = try arguments.all(.header).map { try header($0) }
    sharesHeaders = !form.isEnvelope
    try checkSecurity()
  }
}

private func header(_ text: String) throws(UsageFailure) -> Header {
  let pieces = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
  guard pieces.count == 2, !pieces[0].isEmpty else {
    throw UsageFailure("--header: \(quoted(text)) is not NAME=VALUE")
  }
  return Header(name: String(pieces[0]), value: Array(pieces[1].utf8))
}

/// Refuses entries that librdkafka would try to resolve as host names.
private func checkBrokers(_ list: String, origin: String) throws(UsageFailure) {
  let hints = ["write HOST:PORT, and commas between several"]
  let entries = list.split(separator: ",").filter { !$0.allSatisfy { $0 == " " } }
  if entries.isEmpty { throw UsageFailure("\(origin): no broker is named", hints: hints) }
  for entry in entries {
    var address = entry
    if let mark = entry.firstRange(of: "://") {
      let scheme = entry[..<mark.lowerBound].lowercased()
      if !["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"].contains(scheme) {
        throw UsageFailure("\(origin): \(quoted(entry)) is a URL, not a broker", hints: hints)
      }
      address = entry[mark.upperBound...]
    }
    // An IPv6 address has colons as well; only behind brackets can it have a port.
    let pieces = address.filter { $0 != " " }.split(
      separator: ":", omittingEmptySubsequences: false)
    let hasPort = pieces.count == 2 || pieces.count > 2 && pieces[pieces.count - 2].hasSuffix("]")
    if pieces[0].isEmpty, pieces.count <= 2 {
      throw UsageFailure("\(origin): \(quoted(entry)) names no host", hints: hints)
    }
    if hasPort, let port = pieces.last, UInt16(port) ?? 0 == 0 {
      throw UsageFailure("\(origin): \(quoted(entry)) has no port from 1 to 65535", hints: hints)
    }
  }
}
