import Foundation
import Testing

@testable import Plumbing

@Suite struct SmallFileTests {
  private static func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("small-file-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  @Test func aFileIsReplacedWhole() throws {
    try Self.withFolder { folder in
      let path = folder.appendingPathComponent("receipt").path
      try SmallFile.replace(path, with: Array("one\n".utf8))
      try SmallFile.replace(path, with: Array("two\n".utf8))
      #expect(try SmallFile.readText(path) == "two\n")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["receipt"])
      #expect(throws: SystemFailure.self) {
        try SmallFile.replace("/no/such/folder/receipt", with: [1])
      }
    }
  }

  @Test func aLargeFileIsRefused() throws {
    try Self.withFolder { folder in
      let path = folder.appendingPathComponent("large").path
      try SmallFile.replace(path, with: Array(repeating: 120, count: 200_000))
      #expect(try SmallFile.read(path, limit: 200_000).count == 200_000)
      #expect(throws: SystemFailure("reading \(quoted(path))", code: EFBIG)) {
        try SmallFile.read(path, limit: 100_000)
      }
      #expect(throws: SystemFailure("opening \(quoted(path + "r"))", code: ENOENT)) {
        try SmallFile.read(path + "r")
      }
    }
  }

  /// A link stays a link, and what names an open descriptor is never renamed over: as root that would be `/dev/stdout`.
  @Test func linksStay() throws {
    try Self.withFolder { folder in
      let names = ["file", "link", "descriptor"].map { folder.appendingPathComponent($0).path }
      let (file, link, other) = (names[0], names[1], names[2])
      try SmallFile.replace(file, with: Array("old\n".utf8))
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "file")
      try SmallFile.replace(link, with: Array("new\n".utf8))
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "file")
      #expect(try SmallFile.readText(file) == "new\n")
      let descriptor = unsafe open(file, O_WRONLY)
      defer { close(descriptor) }
      let name = "/proc/self/fd/\(descriptor)"
      try FileManager.default.createSymbolicLink(atPath: other, withDestinationPath: name)
      try SmallFile.replace(other, with: Array("more\n".utf8))
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: other) == name)
      #expect(try SmallFile.readText(file) == "new\nmore\n")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 3)
    }
  }
}
