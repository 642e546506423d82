import DruidSQL

extension SQLiteFunctions {
  static let strings: [String: Body] = [:]
  static let multipleValues: [String: Body] = [:]
  static let arrays: [String: Body] = [:]
  static let json: [String: Body] = [:]
}
