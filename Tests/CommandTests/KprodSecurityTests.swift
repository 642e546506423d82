import CRdkafka
import Foundation
import Testing

/// kprod with TLS and SASL, in front of devstack's broker: valid settings work, and invalid ones
/// are reported in time.
@Suite struct KprodSecurityTests {
  let workspace: Commands.Workspace

  init() throws { workspace = try Commands.Workspace() }

  func write(_ properties: String) throws {
    let file = workspace.url.appendingPathComponent("properties")
    try Data(properties.utf8).write(to: file)
  }

  /// Runs kprod with two lines and the properties file; it must end soon in any case.
  func run(port: UInt16, sourceLocation: SourceLocation = #_sourceLocation) throws
    -> RunningKprod.Outcome
  {
    let began = Date()
    let outcome = try Commands.kprod(
      ["-b", "127.0.0.1:\(port)", "-t", "t", "-F", "properties"], input: Data("a\nb\n".utf8),
      in: workspace)
    #expect(Date().timeIntervalSince(began) < 35, sourceLocation: sourceLocation)
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

  /// librdkafka before 2.6.1 sends a wrong nonce, which Kafka 4 refuses; a strict server tells the two apart.
  @Test func saltedChallenges() throws {
    let server = try RunningDevstack()
    let gate = SASLGate(user: "alice", password: "s=cret", mechanism: .scramSHA256)
    let proxy = try FaultProxy.start(
      upstreamPort: server.port, rewritingAddress: true, gate: { gate.admit($0) })
    defer { proxy.stop() }
    try write(
      "security.protocol=sasl_plaintext\nsasl.mechanisms=SCRAM-SHA-256\n"
        + "sasl.username=alice\nsasl.password=s=cret\n")
    let outcome = try run(port: proxy.port)
    if rd_kafka_version() < 0x0206_01ff {
      #expect(outcome.status == 77, "\(outcome.errors)")
      #expect(outcome.errors.contains("can't do SCRAM with Kafka 4"), "\(outcome.errors)")
      #expect(outcome.errors.contains("hint: use PLAIN over TLS"))
    } else {
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try Topics.everything(in: "t", at: server.brokers).count == 2)
    }
    #expect(!outcome.errors.contains("s=cret"))
  }

  @Test func theStrictServerKnowsTheExampleOfTheStandard() {
    // RFC 7677, section 3.
    let scram = SCRAMServer(
      user: "user", password: "pencil",
      salt: Data(base64Encoded: "W22ZaJ0SNY7soEsUEjb6gQ==") ?? Data(),
      nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
    let first = scram.first(answering: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
    #expect(
      first == "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        + "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
    let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    #expect(
      scram.last(
        answering: last + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        to: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
        == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    #expect(
      scram.last(
        answering: last + "p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        to: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO") == nil)
  }

  @Test func aListenerWithoutSASL() throws {
    let server = try RunningDevstack()
    try write(
      "security.protocol=sasl_plaintext\nsasl.mechanisms=PLAIN\nsasl.username=a\nsasl.password=b\n")
    let outcome = try run(port: server.port)
    #expect(outcome.status == 69)
    #expect(outcome.errors.contains("the listener does not support SASL"), "\(outcome.errors)")
    #expect(outcome.errors.contains("hint: set security.protocol to plaintext or ssl"))
  }

  @Test func whatIsMissingIsNamed() throws {
    try write("security.protocol=sasl_plaintext\n")
    let mechanism = try run(port: 1)
    #expect(mechanism.status == 64)
    #expect(mechanism.errors.contains("sasl.mechanisms is not set"))
    try write("security.protocol=ssl\nssl.ca.location=no-such-file\n")
    let file = try run(port: 1)
    #expect(file.status == 64)
    #expect(
      file.errors.contains(
        "ssl.ca.location: opening 'no-such-file': no such file or directory"), "\(file.errors)")
    try write("security.protocol=sasl_ssl\nsasl.mechanisms=OAUTHBEARER\n")
    let token = try run(port: 1)
    #expect(token.status == 64)
    #expect(token.errors.contains("needs a source of tokens"))
  }

  // MARK: - TLS

  @Test func aBrokerThatWantsAClientCertificate() throws {
    let made = try Commands.run(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        + " -keyout key -out certificate -subj /CN=localhost"
        + " -addext subjectAltName=IP:127.0.0.1 2> /dev/null", in: workspace)
    try #require(made.status == 0)
    let tunnel = try Tunnel(to: 1, in: workspace, verifying: true)
    try write("security.protocol=ssl\nssl.ca.location=certificate\n")
    let outcome = try run(port: tunnel.port)
    #expect(outcome.status == 69)
    #expect(outcome.errors.contains("it asks for a client certificate"), "\(outcome.errors)")
    #expect(outcome.errors.contains("ssl.certificate.location"))
  }

  @Test func certificates() throws {
    let (server, proxy) = try FaultProxy.withDevstack()
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

/// A server that terminates TLS and passes the data on, for as long as the test holds it.
private final class Tunnel {
  private let process = Process()
  let port: UInt16

  init(to upstream: UInt16, in workspace: Commands.Workspace, verifying: Bool = false) throws {
    process.executableURL = URL(fileURLWithPath: "/usr/bin/socat")
    process.currentDirectoryURL = workspace.url
    process.arguments = [
      "-d", "-d",
      "OPENSSL-LISTEN:0,bind=127.0.0.1,cert=certificate,key=key,fork,"
        + (verifying ? "verify=1,cafile=certificate" : "verify=0"),
      "TCP:127.0.0.1:\(upstream)",
    ]
    let log = Pipe()
    process.standardError = log
    try process.runWithOpenSignals()
    // It prints the port on which it listens.
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
