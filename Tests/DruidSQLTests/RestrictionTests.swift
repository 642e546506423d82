import Foundation
import Testing

@testable import DruidSQL

/// The rules that refuse statements, each with a statement that it refuses.
@Suite struct RestrictionTests {
  /// A paragraph of `Fixtures/refusals.txt`: the rule, a statement, and the message with its place.
  private struct Sample {
    var rule: String
    var sql: String
    var message: String
  }

  @Test func eachHasANameAndABehavior() throws {
    let all = Restrictions.all
    #expect(Set(all.map(\.name)).count == all.count)
    for restriction in all {
      #expect(restriction.druid.hasSuffix("."), "\(restriction.name)")
      #expect(!restriction.name.isEmpty)
    }
    let errors = try Self.errors()
    #expect(Set(errors.map(\.name)).count == errors.count)
    for error in errors { #expect(error.isDescribed, "\(error.name) has no comment") }
  }

  @Test func eachHasAStatement() throws {
    let samples = try Self.samples()
    for sample in samples {
      let failure = try #require(Self.failure(sample.sql), "\(sample.sql)")
      #expect(failure.rule.prefix { $0 != "(" } == sample.rule, "\(sample.sql)")
      #expect(failure.errorMessage == sample.message, "\(sample.sql)")
    }
    let tested = samples.map(\.rule)
    #expect(Set(tested).count == tested.count)
    let rules = Restrictions.all.map(\.name) + (try Self.errors().map(\.name))
    #expect(Set(rules).subtracting(tested) == [], "these rules have no statement")
    #expect(Set(tested).subtracting(rules) == [], "these rules do not exist")
  }

  /// No message stands in the binder and the translator: they throw what has a name in
  /// `Restrictions`.
  @Test func binderAndTranslatorHaveNoWords() throws {
    for file in try Self.files("Binding") + Self.files("Translation") {
      let text = try String(contentsOf: file, encoding: .utf8)
      for call in ["SQLFailure(", ".unknown(", ".unplannable(", "planning(\"", "categorized(\""] {
        #expect(!text.contains(call), "\(file.lastPathComponent): \(call)")
      }
    }
  }

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

  private static func files(_ folder: String) throws -> [URL] {
    let folder = root.appendingPathComponent("../../Sources/DruidSQL/\(folder)").standardized
    return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "swift" }
  }

  /// The errors that the binder throws, and whether a comment says when Druid gives them.
  private static func errors() throws -> [(name: String, isDescribed: Bool)] {
    var errors = Uncertain.allCases.map { (name: "\($0)", isDescribed: true) }
    errors += Invalid.allCases.map { (name: "\($0)", isDescribed: true) }
    for file in try files("Restrictions") where file.lastPathComponent.hasSuffix("Errors.swift") {
      var before = ""
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        let words = line.split(separator: " ").drop { $0 == "package" }
        if words.first == "static", words.count > 2, words[words.startIndex + 1] != "let" {
          let name = words[words.startIndex + 2].prefix { $0.isLetter }
          errors.append((String(name), before.hasPrefix("  ///")))
        }
        before = String(line)
      }
    }
    return errors
  }

  private static func samples() throws -> [Sample] {
    let file = root.appendingPathComponent("Fixtures/refusals.txt")
    let text = try String(contentsOf: file, encoding: .utf8)
    return try text.split(separator: "\n\n").filter { !$0.hasPrefix("#") }.map { paragraph in
      let lines = paragraph.split(separator: "\n")
      try #require(lines.count == 3, "\(paragraph)")
      return Sample(
        rule: String(lines[0]), sql: String(lines[1].dropFirst(2)),
        message: String(lines[2].dropFirst(2)))
    }
  }

  /// The failure of a statement. A word in brackets before it is a setting or a parameter.
  private static func failure(_ line: String) -> SQLFailure? {
    var (sql, word) = (line[...], Substring())
    if line.hasPrefix("["), let end = line.firstIndex(of: "]") {
      word = line[..<end].dropFirst()
      sql = line[end...].dropFirst(2)
    }
    var settings = PlanSettings(
      timeZone: word == "zone" ? "America/New_York" : "UTC", nowMilliseconds: 1_767_225_600_000)
    var parameters: [PlanParameter] = []
    switch word {
    case "exact": settings.approximatesCountDistinct = false
    case "vectors": settings.forcesVectors = true
    case "values": settings.groupsMultipleValues = false
    case "buckets": settings.skipsEmptyBuckets = false
    case "date": parameters = [PlanParameter(type: "DATE", value: .time(0))]
    case "infinite": parameters = [PlanParameter(type: "DOUBLE", value: .double(.infinity))]
    case "text": parameters = [PlanParameter(type: "VARCHAR", value: .text("a"))]
    case "empty": parameters = [PlanParameter(type: "ARRAY", value: .array([]))]
    default: break
    }
    do throws(SQLFailure) {
      _ = try Planner.plan(
        String(sql), parameters: parameters, catalog: BindingFixture.catalog, settings: settings)
      return nil
    } catch {
      return error
    }
  }
}
