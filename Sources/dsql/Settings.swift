import Druid
import Glibc
import Plumbing

/// The settings of the command line and the environment.
struct Settings {
  var connection: ConnectionSettings
  var patience = Patience()
  var caughtUp: Duration?
  var format: FormatOptions
  var context: [JSONValue.Member] = []
  var parameters: [QueryParameter] = []
  /// The values of `:name`.
  var named: [String: QueryParameter] = [:]
  var timeout: Duration?
  var isExplained = false
  var isComplete = false
  var rowLimit: Int?
  var receipt: String?
  var keepsGoing = false
  var summarizes = false
  var sources: [ScriptSource] = []
  var output: String?
  var watch: Duration?
  /// The history file of the prompt.
  var history: String?
  var appends = false
  var follow: FollowSettings?
  var reconciliation: ReconciliationSettings?

  init(_ arguments: Arguments) throws {
    connection = try ConnectionSettings(arguments)
    patience.retry = try arguments.duration(.retry) ?? .seconds(10)
    patience.wait = try arguments.duration(.wait)
    // A user who waits two seconds should not wait ten for a host that drops packets.
    connection.connectTimeout = min(
      connection.connectTimeout, max(patience.wait ?? connection.connectTimeout, .seconds(1)))
    caughtUp = try arguments.duration(.caughtUp)
    timeout = try arguments.duration(.timeout)
    if let timeout, timeout < .milliseconds(1) {
      throw UsageFailure("--timeout: the minimum is 1ms")
    }
    if arguments.isSet(.csv), arguments.isSet(.format), arguments.text(.format) != "csv" {
      throw UsageFailure("--csv and --format name different formats")
    }
    let name = arguments.isSet(.csv) ? "csv" : arguments.text(.format) ?? "table"
    format = FormatOptions(format: AnswerFormat(rawValue: name) ?? .table)
    format.nullText = arguments.text(.null)
    format.hasHeader = !arguments.isSet(.noHeader)
    format.hasTypes = arguments.isSet(.types)
    format.hasPlainNumbers = arguments.isSet(.plainNumbers)
    format.limits.maximumRowLength =
      try arguments.integer(.maximumRow, in: 1...(1 << 40)) ?? format.limits.maximumRowLength
    if format.format == .json || format.format == .ndjson {
      for flag in [Flag.types, .null] where arguments.isSet(flag) {
        throw UsageFailure("\(flag.spelling) cannot be used with \(name)")
      }
    }
    for spelling in arguments.all(.parameter) {
      parameters.append(try QueryParameter(spelling: spelling))
    }
    for text in arguments.all(.namedParameter) {
      guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
        throw UsageFailure("--named-param: \(quoted(text)) is not NAME=VALUE")
      }
      let name = String(text[..<sign])
      named[name] =
        try QueryParameter(
          spelling: String(text[text.index(after: sign)...]), of: "--named-param \(name)")
    }
    try readContext(arguments)
    isExplained = arguments.isSet(.explain)
    isComplete = arguments.isSet(.complete)
    rowLimit = try arguments.integer(.rowLimit, in: 1...Int.max - 1)
    format.limits.rowLimit = rowLimit
    receipt = arguments.text(.receipt)
    if receipt == "" || receipt == "-" { throw UsageFailure("--receipt: a file needs a name") }
    format.limits.tracksTime = receipt != nil
    keepsGoing = arguments.isSet(.keepGoing)
    summarizes = arguments.isSet(.summary)
    output = arguments.text(.output)
    if output == "" { throw UsageFailure("--output: a file needs a name") }
    if let output, AnswerFormat(rawValue: output) != nil, !arguments.isSet(.format),
      !arguments.isSet(.csv)
    {
      throw UsageFailure(
        "--output: \(quoted(output)) is the name of a format",
        hints: ["write -f \(output), or -o ./\(output) for a file of that name"])
    }
    appends = arguments.isSet(.append)
    if appends, output == nil { throw UsageFailure("--append needs --output FILE") }
    readSources(arguments)
    follow = try FollowSettings(arguments)
    reconciliation = try ReconciliationSettings(arguments)
    watch = try arguments.duration(.watch)
    if watch == .zero { throw UsageFailure("--watch: the interval must be longer than 0") }
    if watch != nil, follow != nil || output != nil || reconciliation != nil {
      throw UsageFailure("--watch cannot be combined with --follow, --output or --reconcile")
    }
    let home = arguments.environment("HOME").map { $0 + "/.dsql_history" }
    history = arguments.environment("DSQL_HISTORY") ?? home
    if follow != nil, hasFilePerStatement {
      throw UsageFailure("--follow runs one statement: %n in --output is not supported")
    }
    if follow != nil, output != nil, !appends {
      throw UsageFailure(
        "--follow never ends, so --output would never appear",
        hints: ["--append adds to the file window by window"])
    }
  }

  /// Whether each statement has a separate file.
  var hasFilePerStatement: Bool { output?.contains("%n") ?? false }

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
  /// Adds a member; the last one of a name counts.
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
    // Checked first, so that a possible password is not shown.
    guard !authority.contains("@") else {
      throw UsageFailure(
        "\(arguments.origin(of: .url)): a URL with credentials is not accepted",
        hints: ["set DRUID_USER and DRUID_PASSWORD_FILE, or write ~/.netrc"])
    }
    guard scheme != nil else {
      throw UsageFailure(
        "\(arguments.origin(of: .url)): \(quoted(url)) is not an http or https address",
        hints: [
          "write http://" + (url.contains("://") || url.isEmpty ? "localhost:8888" : url)
        ])
    }
    guard !authority.isEmpty, !url.contains(where: { "?# ".contains($0) }) else {
      throw UsageFailure(
        "\(arguments.origin(of: .url)): \(quoted(url)) is not the address of a server",
        hints: ["write http://localhost:8888; dsql adds Druid's paths itself"])
    }
    let port = authority.hasSuffix("]") ? nil : authority.split(separator: ":").dropFirst().last
    guard port.map({ UInt16($0) ?? 0 > 0 }) ?? true else {
      throw UsageFailure(
        "\(arguments.origin(of: .url)): \(quoted(url)) has no port from 1 to 65535",
        hints: ["write http://localhost:8888"])
    }
    self.init(url: url)
    proxyVariable = variableOfProxy(for: url, arguments)
    user = arguments.environment("DRUID_USER")
    password = arguments.environment("DRUID_PASSWORD")
    if password == nil, let path = arguments.environment("DRUID_PASSWORD_FILE") {
      password = try firstLine(of: path)
    }
    if let path = arguments.environment("DRUID_TOKEN_FILE") {
      guard user == nil, password == nil else {
        throw UsageFailure("DRUID_TOKEN_FILE and DRUID_USER: only one of them can be used")
      }
      // Read for each request, because tokens may be renewed while a service runs.
      token = { try bearerToken(of: path) }
      _ = try bearerToken(of: path)
    }
    if password != nil, user == nil {
      throw UsageFailure("DRUID_PASSWORD needs DRUID_USER")
    }
    if user != nil, password == nil {
      throw UsageFailure("DRUID_USER needs DRUID_PASSWORD or DRUID_PASSWORD_FILE")
    }
    netrcFile = arguments.environment("NETRC")
    caCertificate = arguments.text(.caCertificate)
    clientCertificate = arguments.text(.clientCertificate)
    clientKey = arguments.text(.clientKey)
    for file in [caCertificate, clientCertificate, clientKey] {
      if let file { try SmallFile.requireReadable(file) }
    }
    if clientKey != nil, clientCertificate == nil {
      throw UsageFailure("--client-key needs --client-cert")
    }
    isInsecure = arguments.isSet(.insecure)
    asksForCompression = arguments.isSet(.compressed)
  }
}

/// The first line of a file, with or without a Windows line end.
private func firstLine(of path: String) throws(SystemFailure) -> String {
  String(decoding: try SmallFile.read(path).prefix { $0 != 10 && $0 != 13 }, as: UTF8.self)
}

/// The token for `Authorization: Bearer`.
private func bearerToken(of path: String) throws -> String {
  let token = try firstLine(of: path)
  guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
    throw UsageFailure("DRUID_TOKEN_FILE: \(quoted(path)) does not begin with a token")
  }
  return token
}

/// The variable by which libcurl finds a proxy for a URL; `nil` when there is none, or `no_proxy` excludes the host.
private func variableOfProxy(for url: String, _ arguments: Arguments) -> String? {
  let host = host(of: url)
  let excluded = arguments.environment("no_proxy") ?? arguments.environment("NO_PROXY") ?? ""
  if host.isLoopback || excluded == "*" || excluded.firstRange(of: host) != nil { return nil }
  let isSecure = url.lowercased().hasPrefix("https:")
  // libcurl does not read HTTP_PROXY: a web server's clients can set a variable of that name.
  let names = isSecure ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy"]
  return (names + ["all_proxy", "ALL_PROXY"]).first { arguments.environment($0) != nil }
}
