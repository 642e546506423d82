import Foundation
import Testing

@testable import EventGeneration

/// The output of seed 1, which is the same in every version. A change of the model must change it
/// deliberately, and the changelog must say so.
@Suite struct GoldenTests {
  @Test func cleanEvents() throws {
    let model = Model(Model.Settings())
    let printed = run(model, EventStream.Part(start: monday, count: 20_000))
    #expect(
      try sha256(printed.bytes)
        == "f3837752e2227a1d6be8cc1704642206fc27a4fbed8eed81f7487002eddfad80")
  }

  @Test func everythingAtOnce() throws {
    var dirt = Dirt()
    dirt.late = 0.01
    dirt.duplicate = 0.01
    dirt.malformed = 0.01
    let printed = run(
      Model(Model.Settings()), EventStream.Part(start: monday, end: monday + 3600),
      random: RandomAnomalies(perDay: 100), dirt: dirt)
    #expect(
      try sha256(printed.bytes)
        == "5c3b9755ea6102d654f91417e840362b0b507209fc64b1e45dae3b723c3687e5")
    #expect(
      try sha256(Array(printed.labels.utf8))
        == "4226e9240c2df548b9adc88acbf6786da913929c5e09a75084f0381993aa2938")
  }

  private func sha256(_ bytes: [UInt8]) throws -> String {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("fake-events-\(UUID().uuidString)")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
    process.arguments = [file.path]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return String(text.prefix(64))
  }
}
