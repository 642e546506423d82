import Foundation
import Testing

/// kprod through TLS and SASL, in front of devstack's broker: what is right gets through, what is wrong is said in time.
@Suite struct KprodSecurityTests {
  let workspace: Commands.Workspace

  init() throws { workspace = try Commands.Workspace() }

  func write(_ properties: String) throws {
    let file = workspace.url.appendingPathComponent("properties")
    try Data(properties.utf8).write(to: file)
  }

  /// Runs kprod over two lines with the file of properties; it must not take long, whatever comes.
  func run(port: UInt16, sourceLocation: SourceLocation = #_sourceLocation) throws
    -> RunningKprod.Outcome
  {
    let began = Date()
    let outcome = try Commands.kprod(
      ["-b", "127.0.0.1:\(port)", "-t", "t", "-F", "properties"], input: Data("a\nb\n".utf8),
      in: workspace)
    #expect(Date().timeIntervalSince(began) < 6, sourceLocation: sourceLocation)
    return outcome
  }

  // MARK: - SASL

  @Test func userAndPassword() throws {
    let server = try RunningDevstack()
    let gate = SASLGate(user: "alice", password: "s=cret")
    let proxy = try FaultProxy.start(
      upstreamPort: server.port, rewritingAddress: true, gate: { gate.admit($0) })
    defer { proxy.stop() }
    let settings = "security.protocol=sasl_plaintext\nsasl.mechanisms=PLAIN\nsasl.username=alice\n"

    try write(settings + "sasl.password=s=cret\n")
    let admitted = try run(port: proxy.port)
    #expect(admitted.status == 0, "\(admitted.errors)")
    #expect(try Topics.everything(in: "t", at: server.brokers).count == 2)

    try write(settings + "sasl.password=wrong-one\n")
    let refused = try run(port: proxy.port)
    #expect(refused.status == 77)
    #expect(
      refused.errors.hasPrefix("kprod: 127.0.0.1:\(proxy.port) refuses the credentials: "),
      "\(refused.errors)")
    #expect(refused.errors.contains("no such user, or another password"))
    #expect(!refused.errors.contains("wrong-one"), "secrets are never shown")
  }

  // MARK: - TLS

  @Test func certificates() throws {
    let server = try RunningDevstack()
    let proxy = try FaultProxy.start(upstreamPort: server.port, rewritingAddress: true)
    defer { proxy.stop() }
    let made = try Commands.run(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        + " -keyout key -out certificate -subj /CN=localhost"
        + " -addext subjectAltName=IP:127.0.0.1 2> /dev/null", in: workspace)
    try #require(made.status == 0)
    let tunnel = try Tunnel(to: proxy.port, in: workspace)
    proxy.advertise(port: tunnel.port)

    try write("security.protocol=ssl\nssl.ca.location=certificate\n")
    let trusted = try run(port: tunnel.port)
    #expect(trusted.status == 0, "\(trusted.errors)")
    #expect(try Topics.everything(in: "t", at: server.brokers).count == 2)

    try write("security.protocol=ssl\n")
    let unknown = try run(port: tunnel.port)
    #expect(unknown.status == 69)
    #expect(
      unknown.errors.hasPrefix(
        "kprod: cannot reach 127.0.0.1:\(tunnel.port): its certificate can't be verified\n"
          + "kprod: hint: ssl.ca.location=FILE"))

    try write("ssl.ca.location=certificate\n")
    let plain = try run(port: tunnel.port)
    #expect(plain.status == 69)
    #expect(plain.errors.contains("another protocol") && plain.errors.contains("sasl_ssl"))

    try write("security.protocol=ssl\nssl.ca.location=certificate\n")
    let reversed = try run(port: server.port)
    #expect(reversed.status == 69)
    #expect(reversed.errors.contains("another protocol"), "\(reversed.errors)")
  }
}

/// A server that takes TLS off and passes the rest on, for as long as the test holds it.
private final class Tunnel {
  private let process = Process()
  let port: UInt16

  init(to upstream: UInt16, in workspace: Commands.Workspace) throws {
    process.executableURL = URL(fileURLWithPath: "/usr/bin/socat")
    process.currentDirectoryURL = workspace.url
    process.arguments = [
      "-d", "-d", "OPENSSL-LISTEN:0,bind=127.0.0.1,cert=certificate,key=key,verify=0,fork",
      "TCP:127.0.0.1:\(upstream)",
    ]
    let log = Pipe()
    process.standardError = log
    try process.runWithOpenSignals()
    // It says where it listens.
    var text = ""
    while !text.contains("\n") || !text.contains("listening on") {
      let data = log.fileHandleForReading.availableData
      guard !data.isEmpty else { break }
      text += String(decoding: data, as: UTF8.self)
    }
    log.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
    let place = text.range(of: "listening on AF=2 127.0.0.1:")?.upperBound
    let digits = place.map { text[$0...].prefix { $0.isNumber } }
    port = try #require(digits.flatMap { UInt16($0) }, "socat said: \(text)")
  }

  deinit { process.terminate() }
}
