package import Foundation

/// A real Druid's answer.
package struct Recording: Decodable {
  package let name: String
  package let sql: String
  package let status: Int
  package let body: String
  package let csv: String?
  package let objectLines: String?

  package static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("DruidTests/Fixtures")

  package static func all() throws -> [Recording] {
    let text = try String(
      contentsOf: folder.appendingPathComponent("answers.ndjson"), encoding: .utf8)
    return try text.split(separator: "\n").map {
      try JSONDecoder().decode(Recording.self, from: Data($0.utf8))
    }
  }

  package static func whole() throws -> [Recording] { try all().filter { $0.status == 200 } }
}
