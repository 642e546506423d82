import Testing

@testable import EmbeddedDruid

/// What clients ask `INFORMATION_SCHEMA` before their user asks anything.
@Suite struct MetadataTests {
  /// As pydruid's SQLAlchemy dialect spells them.
  @Test(arguments: [
    ("SELECT 1", "[1]"),
    (
      "SELECT SCHEMA_NAME\n  FROM INFORMATION_SCHEMA.SCHEMATA",
      #"["INFORMATION_SCHEMA"] ["druid"] ["lookup"] ["sys"] ["view"]"#
    ),
    (
      "SELECT TABLE_NAME\n  FROM INFORMATION_SCHEMA.TABLES\n WHERE TABLE_SCHEMA = 'druid'",
      #"["shelf"]"#
    ),
    (
      "SELECT COUNT(*) > 0 AS exists_\n  FROM INFORMATION_SCHEMA.TABLES\n WHERE TABLE_NAME = 'shelf'",
      "[true]"
    ),
    (
      "SELECT COUNT(*) > 0 AS exists_\n  FROM INFORMATION_SCHEMA.TABLES\n WHERE TABLE_NAME = 'none'",
      // A system table has no row for nothing to count.
      ""
    ),
    (
      "SELECT COLUMN_NAME, JDBC_TYPE, IS_NULLABLE, COLUMN_DEFAULT\n  FROM INFORMATION_SCHEMA.COLUMNS\n WHERE TABLE_NAME = 'shelf'",
      #"["__time",93,"NO",null] ["title",12,"YES",null] ["tags",12,"YES",null] ["pages",-5,"YES",null] ["price",8,"YES",null] ["weight",6,"YES",null]"#
    ),
  ])
  func alchemy(sql: String, expected: String) throws {
    #expect(try SmallTableTests.answer(sql) == expected)
  }

  @Test func tablesComeInAlphabeticalOrder() throws {
    let answer = try SmallTableTests.answer("SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES")
    #expect(
      answer == """
        ["shelf"] ["COLUMNS"] ["ROUTINES"] ["SCHEMATA"] ["TABLES"] ["segments"] ["server_segments"] \
        ["servers"] ["supervisors"] ["tasks"]
        """)
  }
}
