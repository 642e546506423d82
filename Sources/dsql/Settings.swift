import Druid
import Glibc
import Plumbing

/// What the command line and the environment say.
struct Settings {
  var connection: ConnectionSettings
  var patience = Patience()
  var caughtUp: Duration?
  var format: FormatOptions
  var context: [JSONValue.Member] = []
  var parameters: [QueryParameter] = []
  var timeout: Duration?
  var isExplained = false
  var isComplete = false
  var keepsGoing = false
  var summarizes = false
  var sources: [ScriptSource] = []
  var output: String?
  var appends = false
  var follow: FollowSettings?

  init(_ arguments: Arguments) throws {
    connection = try ConnectionSettings(arguments)
    patience.retry = try arguments.duration(.retry) ?? .seconds(10)
    patience.wait = try arguments.duration(.wait)
    // Who waits for two seconds is not kept for ten by a host that drops what is sent to it.
    connection.connectTimeout = min(
      connection.connectTimeout, max(patience.wait ?? connection.connectTimeout, .seconds(1)))
    caughtUp = try arguments.duration(.caughtUp)
    timeout = try arguments.duration(.timeout)
    if let timeout, timeout < .milliseconds(1) {
      throw UsageFailure("--timeout: less than a millisecond is no time")
    }
    let name = arguments.text(.format) ?? "table"
    format = FormatOptions(format: AnswerFormat(rawValue: name) ?? .table)
    format.nullText = arguments.text(.null)
    format.hasHeader = !arguments.isSet(.noHeader)
    format.hasTypes = arguments.isSet(.types)
    format.hasPlainNumbers = arguments.isSet(.plainNumbers)
    format.maximumRowLength =
      try arguments.integer(.maximumRow, in: 1...(1 << 40)) ?? format.maximumRowLength
    if format.format == .json || format.format == .ndjson {
      for flag in [Flag.types, .null] where arguments.isSet(flag) {
        throw UsageFailure("\(flag.spelling) has no place in \(name)")
      }
    }
    for spelling in arguments.all(.parameter) {
      parameters.append(try QueryParameter(spelling: spelling))
    }
    try readContext(arguments)
    isExplained = arguments.isSet(.explain)
    isComplete = arguments.isSet(.complete)
    keepsGoing = arguments.isSet(.keepGoing)
    summarizes = arguments.isSet(.summary)
    output = arguments.text(.output)
    if output == "" { throw UsageFailure("--output: a file needs a name") }
    appends = arguments.isSet(.append)
    if appends, output == nil { throw UsageFailure("--append needs --output FILE") }
    readSources(arguments)
    follow = try FollowSettings(arguments)
    if follow != nil, output != nil, !appends {
      throw UsageFailure(
        "--follow never ends, so --output would never appear",
        hints: ["--append adds to the file window by window"])
    }
  }

  private mutating func readContext(_ arguments: Arguments) throws(UsageFailure) {
    if let zone = arguments.text(.timeZone) {
      context.append(.init(key: "sqlTimeZone", value: .string(zone)))
    }
    if arguments.isSet(.exact) {
      context.append(.init(key: "useApproximateCountDistinct", value: .bool(false)))
      context.append(.init(key: "useGroupingSetForExactDistinct", value: .bool(true)))
      context.append(.init(key: "useApproximateTopN", value: .bool(false)))
    }
    for setting in arguments.all(.context) {
      guard let sign = setting.firstIndex(of: "="), sign > setting.startIndex else {
        throw UsageFailure(
          "--context: \(quoted(setting)) is not NAME=VALUE",
          hints: setting.contains(" ") ? ["-e takes SQL"] : [])
      }
      let text = String(setting[setting.index(after: sign)...])
      let value = (try? JSONValue(parsing: text)) ?? .string(text)
      context.set(.init(key: String(setting[..<sign]), value: value))
    }
  }

  private mutating func readSources(_ arguments: Arguments) {
    let texts = arguments.all(.execute)
    for (index, text) in texts.enumerated() {
      sources.append(.text(text, name: texts.count == 1 ? "-e" : "-e \(index + 1)"))
    }
    sources += arguments.operands.map { $0 == "-" ? .standardInput : .file($0) }
    if sources.isEmpty { sources = [.standardInput] }
  }
}

extension [JSONValue.Member] {
  /// Adds a member; the last of a name holds.
  mutating func set(_ member: JSONValue.Member) {
    removeAll { $0.key == member.key }
    append(member)
  }
}

extension ConnectionSettings {
  init(_ arguments: Arguments) throws {
    let url = arguments.text(.url) ?? ""
    let lowered = url.lowercased()
    let scheme = ["http://", "https://"].first { lowered.hasPrefix($0) }
    let authority = url.dropFirst(scheme?.count ?? 0).prefix { $0 != "/" }
    // First of all: what may be a password is not shown.
    guard !authority.contains("@") else {
      throw UsageFailure(
        "\(arguments.origin(of: .url)): an address holds no password here",
        hints: ["set DRUID_USER and DRUID_PASSWORD_FILE, or write ~/.netrc"])
    }
    guard scheme != nil else {
      throw UsageFailure(
        "\(arguments.origin(of: .url)): \(quoted(url)) is no http or https address",
        hints: ["write http://localhost:8888"])
    }
    guard !authority.isEmpty, !url.contains(where: { "?# ".contains($0) }) else {
      throw UsageFailure(
        "\(arguments.origin(of: .url)): \(quoted(url)) is no address of a server",
        hints: ["write http://localhost:8888; paths of Druid's are added here"])
    }
    self.init(url: url)
    user = arguments.environment("DRUID_USER")
    password = arguments.environment("DRUID_PASSWORD")
    if password == nil, let path = arguments.environment("DRUID_PASSWORD_FILE") {
      password = try firstLine(of: path)
    }
    if password != nil, user == nil {
      throw UsageFailure("DRUID_PASSWORD needs DRUID_USER beside it")
    }
    if user != nil, password == nil {
      throw UsageFailure("DRUID_USER needs DRUID_PASSWORD or DRUID_PASSWORD_FILE beside it")
    }
    netrcFile = arguments.environment("NETRC")
    caCertificate = arguments.text(.caCertificate)
    clientCertificate = arguments.text(.clientCertificate)
    clientKey = arguments.text(.clientKey)
    for file in [caCertificate, clientCertificate, clientKey] {
      guard let file, unsafe access(file, R_OK) != 0 else { continue }
      throw SystemFailure("opening \(quoted(file))")
    }
    if clientKey != nil, clientCertificate == nil {
      throw UsageFailure("--client-key needs --client-cert beside it")
    }
    isInsecure = arguments.isSet(.insecure)
    asksForCompression = arguments.isSet(.compressed)
  }
}

/// A password's file: its first line.
private func firstLine(of path: String) throws -> String {
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw SystemFailure("opening \(quoted(path))") }
  defer { _ = close(descriptor) }
  var reader = LineReader(from: descriptor, named: quoted(path), maximumLineLength: 65536)
  guard let line = try reader.nextLine() else { return "" }
  var block = ByteBlock(capacity: line.byteCount)
  block.append(line)
  // A line of an editor on Windows.
  let bytes = block.array.last == 13 ? block.array.dropLast() : block.array[...]
  return String(decoding: bytes, as: UTF8.self)
}
