import Testing

@testable import Kafka
@testable import kprod

@Suite struct EnvelopeTests {
  struct Content: Equatable {
    var key: [UInt8]?
    var payload: [UInt8]?
    var partition: Int32?
    var timestamp: Int64?
    var headers: [String] = []
  }

  static func read(_ line: [UInt8]) -> Content? {
    var room = [UInt8](repeating: 0, count: line.count)
    return unsafe line.withUnsafeBytes { line in
      unsafe room.withUnsafeMutableBytes { room in
        var envelope = Envelope()
        guard (try? unsafe envelope.read(line, decodingInto: room)) != nil else { return nil }
        return Content(
          key: unsafe envelope.key.map { unsafe Array($0) },
          payload: unsafe envelope.payload.map { unsafe Array($0) },
          partition: envelope.partition, timestamp: envelope.timestamp,
          headers: envelope.headers.map { header in
            header.name + "=" + (header.value.map { String(decoding: $0, as: UTF8.self) } ?? "null")
          })
      }
    }
  }

  static func read(_ line: String) -> Content? { read(Array(line.utf8)) }

  @Test func whatKcatPrints() {
    let line =
      #"{"topic":"t","partition":3,"offset":7,"tstype":"create","ts":1767225600123,"broker":1,"#
      + #""headers":["a","1","b","","c",null],"key":"k\u00e4","payload":"{\"x\":1}\n"}"#
    #expect(
      Self.read(line)
        == Content(
          key: Array("kä".utf8), payload: Array("{\"x\":1}\n".utf8), partition: 3,
          timestamp: 1_767_225_600_123, headers: ["a=1", "b=", "c=null"]))
  }

  @Test func aTombstone() {
    #expect(Self.read(#"{"key":null,"payload":null}"#) == Content())
  }

  @Test func bytesThatAreNoTextPass() {
    let line = Array(#"{"payload":""#.utf8) + [0xff, 0x00, 0xfe] + Array("\"}".utf8)
    #expect(Self.read(line)?.payload == [0xff, 0x00, 0xfe])
  }

  @Test(arguments: [
    ("\\u0000", "\0"), ("\\ud83d\\ude00", "😀"), ("\\\\\\/\\b\\f\\r\\t", "\\/\u{8}\u{c}\r\t"),
  ])
  func escapes(_ written: String, _ meant: String) {
    #expect(Self.read("{\"payload\":\"\(written)\"}")?.payload == Array(meant.utf8))
  }

  @Test func unknownFieldsAreSkipped() {
    let line = #"{"a":[1,{"b":"]"}],"c":-1.5e3,"d":true,"payload":"x","e":{}}"#
    #expect(Self.read(line)?.payload == Array("x".utf8))
  }

  @Test(arguments: [
    "", "{", "{}", "[]", "null", "x", #"{"payload":"x""#, #"{"payload":"x"}}"#,
    #"{"payload":"x"} y"#,
    #"{"payload":1}"#, #"{"key":"a"}"#, #"{"payload":"\ud800"}"#, #"{"payload":"\u12"}"#,
    #"{"payload":"\q"}"#, #"{"payload":"x","headers":["a"]}"#, #"{"payload":"x","partition":"1"}"#,
    #"{"payload":"x","ts":99999999999999999999}"#, #"{"payload":"x",}"#, #"{"payload":"x""a":1}"#,
    "{\"payload\":\"x", "{\"payload\":\"\\", #"{"a":],"payload":"x"}"#,
  ])
  func hostileLinesAreRefused(_ line: String) {
    #expect(Self.read(line) == nil)
  }

  @Test func everyCutIsRefusedAndNoneTraps() {
    let line = Array(#"{"headers":["a","\u0041"],"ts":5,"key":"\n","payload":"p","z":[{}]}"#.utf8)
    for end in line.indices { #expect(Self.read(Array(line[..<end])) == nil) }
    var random = SystemRandomNumberGenerator()
    for _ in 0..<5000 {
      var damaged = line
      damaged[Int.random(in: line.indices, using: &random)] = .random(in: 0...255)
      _ = Self.read(damaged)
    }
  }

  @Test func depthCostsNoStack() {
    let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    #expect(Self.read("{\"a\":\(deep),\"payload\":\"x\"}")?.payload == Array("x".utf8))
  }
}
