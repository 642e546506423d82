import DruidSQL

/// The functions that the translation calls, as SQLite knows them.
enum SQLiteFunctions {
  /// What SQLite is told when a long is divided by zero.
  static let divisionByZero = "/ by zero"
  private static let refusalMark = "refused: "

  static func refusal(in message: String) -> String? {
    message.hasPrefix(refusalMark) ? String(message.dropFirst(refusalMark.count)) : nil
  }

  static func register(in connection: SQLiteConnection) throws(SQLiteFailure) {
  }
}
