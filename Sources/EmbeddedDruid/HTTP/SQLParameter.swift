import DruidSQL
import Plumbing

/// An element of a request's `parameters`.
enum SQLParameter {
  /// - Throws: ``DruidError`` or ``HTMLError``, as Druid does.
  static func read(_ json: JSONValue) throws -> PlanParameter {
    guard case .object = json, let type = json["type"]?.text, let value = json["value"] else {
      throw DruidError.badRequest(
        "Cannot construct instance of `org.apache.druid.sql.http.SqlParameter`",
        errorClass: "com.fasterxml.jackson.databind.exc.MismatchedInputException")
    }
    let converted = try read(value, as: type)
    return PlanParameter(type: type, value: converted)
  }

  private static func read(_ value: JSONValue, as type: String) throws -> PlanParameter.Value {
    switch type {
    case "VARCHAR", "CHAR":
      switch value {
      case .null: return .null
      case .string(let text): return .text(text)
      default: throw badCast("String")
      }
    case "TINYINT", "SMALLINT", "INTEGER", "BIGINT":
      switch value {
      case .null: return .null
      case .number(let text):
        if let whole = Int64(text) { return .integer(whole) }
        guard let real = Double(text) else { throw badCast("Number") }
        return .integer(Int64(exactly: real.rounded(.towardZero)) ?? (real < 0 ? .min : .max))
      default: throw badCast("Number")
      }
    case "FLOAT", "REAL", "DOUBLE", "DECIMAL":
      switch value {
      case .null: return .null
      case .number(let text):
        guard let real = Double(text) else { throw badCast("Number") }
        return .double(real)
      default: throw badCast("Number")
      }
    case "BOOLEAN":
      switch value {
      case .null: return .null
      case .bool(let truth): return .boolean(truth)
      default: throw badCast("Boolean")
      }
    case "TIMESTAMP": return try time(value)
    case "DATE": return try date(value)
    case "TIME":
      if value.isNull { return .null }
      throw badCast("Number")
    case "ARRAY":
      guard !value.isNull else { return .null }
      guard let elements = value.elements else { throw badCast("java.util.List") }
      return .array(try elements.map(element))
    default:
      throw DruidError.badRequest(
        "Cannot deserialize value of type `org.apache.calcite.avatica.SqlType` from String "
          + "\"\(type)\": not one of the values accepted for Enum class",
        errorClass: "com.fasterxml.jackson.databind.exc.InvalidFormatException")
    }
  }

  private static func element(_ value: JSONValue) throws -> PlanParameter.Value {
    switch value {
    case .null: return .null
    case .bool(let truth): return .boolean(truth)
    case .string(let text): return .text(text)
    case .number(let text):
      if let whole = Int64(text) { return .integer(whole) }
      guard let real = Double(text) else { throw badCast("Number") }
      return .double(real)
    case .array(let list): return .array(try list.map(element))
    case .object: throw badCast("java.util.List")
    }
  }

  /// Parses days since 1970, or `yyyy-MM-dd`.
  private static func date(_ value: JSONValue) throws -> PlanParameter.Value {
    switch value {
    case .null: return .null
    case .number:
      guard let days = value.integer else { throw badCast("Number") }
      let (milliseconds, overflows) = days.multipliedReportingOverflow(by: 86_400_000)
      return .time(overflows ? (days < 0 ? .min : .max) : milliseconds)
    case .string(let text):
      guard text.utf8.count == 10, let moment = TimePoint(rfc3339: text + "T00:00:00Z") else {
        throw HTMLError(message: "java.lang.IllegalArgumentException: \(text)")
      }
      return .time(moment.milliseconds)
    default: throw badCast("Number")
    }
  }

  /// Parses milliseconds, ISO text or SQL text.
  private static func time(_ value: JSONValue) throws -> PlanParameter.Value {
    switch value {
    case .null: return .null
    case .number:
      guard let whole = value.integer else { throw badCast("Number") }
      return .time(whole)
    case .string(let text):
      guard let moment = TimePoint(rfc3339: text)?.milliseconds ?? Int64(text) else {
        throw HTMLError(message: "java.lang.IllegalArgumentException: Invalid format: \(text)")
      }
      return .time(moment)
    default: throw badCast("Number")
    }
  }

  private static func badCast(_ to: String) -> HTMLError {
    HTMLError(message: "java.lang.ClassCastException: cannot be cast to class java.lang.\(to)")
  }
}
