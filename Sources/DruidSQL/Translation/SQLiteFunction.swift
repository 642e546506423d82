import JavaValues

/// A function that the translation calls and SQLite lacks; the engine registers every one of ``SQLiteFunction/all``.
///
/// Unless its line says otherwise a scalar function is deterministic and answers NULL when any argument is NULL. A *double* is an
/// integer, a real, or the text `NaN`, as an argument and as a result (a result is never an integer); a *time* is milliseconds
/// since 1970; a *zone* is an IANA name; a *multi* is a string argument that may be a blob holding a JSON array of strings; an
/// *array* is JSON text. `refuse` means an error that reaches the client as UNSUPPORTED, `zero` as Druid's `/ by zero`.
package struct SQLiteFunction: Sendable {
  package enum Kind: Sendable {
    case scalar
    case aggregate
    /// An aggregate that also works as a window function (xValue, xInverse).
    case window
  }

  package var name: String
  /// The counts of arguments it is called with.
  package var arity: ClosedRange<Int>
  package var kind: Kind
  /// Arguments and result.
  package var summary: String

  private init(_ name: String, _ arity: ClosedRange<Int>, _ kind: Kind, _ summary: String) {
    self.name = name
    self.arity = arity
    self.kind = kind
    self.summary = summary
  }

  private static func scalar(_ name: String, _ arity: Int, _ summary: String) -> SQLiteFunction {
    SQLiteFunction("druid_" + name, arity...arity, .scalar, summary)
  }

  private static func scalar(
    _ name: String, _ arity: ClosedRange<Int>, _ summary: String
  ) -> SQLiteFunction {
    SQLiteFunction("druid_" + name, arity, .scalar, summary)
  }

  private static func aggregate(_ name: String, _ arity: Int, _ summary: String) -> SQLiteFunction {
    SQLiteFunction("druid_" + name, arity...arity, .aggregate, summary)
  }

  private static func window(_ name: String, _ arity: Int, _ summary: String) -> SQLiteFunction {
    SQLiteFunction("druid_" + name, arity...arity, .window, summary)
  }

  package static let all =
    numbers + casts + strings + times + multipleValues + arrays + json + aggregates

  static let numbers: [SQLiteFunction] = [
    scalar("add_long", 2...120, "a + b in 64 bits, wrapping around"),
    scalar("subtract_long", 2...120, "a - b, wrapping"),
    scalar("multiply_long", 2...120, "a * b, wrapping"),
    scalar("divide_long", 2...120, "a / b towards zero; zero: error; MIN / -1 wraps"),
    scalar("remainder_long", 2, "a rem b with the sign of a; zero: error"),
    scalar("negate_long", 1, "-a, wrapping"),
    scalar("abs_long", 1, "|a|, wrapping"),
    scalar("add_double", 2, "a + b of doubles"),
    scalar("subtract_double", 2, "a - b of doubles"),
    scalar("multiply_double", 2, "a * b of doubles"),
    scalar("divide_double", 2, "a / b of doubles: Infinity or NaN for a zero b"),
    scalar("remainder_double", 2, "Java's a % b of doubles (fmod)"),
    scalar("negate_double", 1, "-a, also of zero"),
    scalar("abs_double", 1, "|a|"),
    scalar("definite", 1, "its argument; refuse when that is the text NaN"),
    scalar("refuse", 1, "(words): refuse with them"),
    scalar("integer", 1, "its argument; refuse when that does not fit 32 bits"),
    scalar("constant", 1, "its argument, a double; invalid input when it is not finite"),
    scalar("int", 1, "the low 32 bits of a long, as Java's intValue"),
    scalar("greatest", 1...100, "of texts, or of numbers; NULLs are passed over"),
    scalar("least", 1...100, "of texts, or of numbers; NULLs are passed over"),
    scalar("power", 2, "Java's Math.pow of doubles"),
    scalar("sqrt", 1, "double"), scalar("ln", 1, "double: ln(0) -Infinity, ln(-1) NaN"),
    scalar("log10", 1, "double"), scalar("exp", 1, "double"), scalar("sin", 1, "double"),
    scalar("cos", 1, "double"), scalar("tan", 1, "double"), scalar("cot", 1, "double: 1 / tan"),
    scalar("asin", 1, "double"), scalar("acos", 1, "double"), scalar("atan", 1, "double"),
    scalar("atan2", 2, "double"), scalar("degrees", 1, "double"), scalar("radians", 1, "double"),
    scalar("floor", 1, "double to double"), scalar("ceil", 1, "double to double"),
    scalar("round_double", 2, "(x, scale): BigDecimal.valueOf(x), HALF_UP; NaN 0, Infinity as is"),
    scalar("round_long", 2, "(x, scale): HALF_UP at a negative scale, x otherwise"),
    scalar(
      "truncate_double", 2, "(x, scale): towards zero, by decimal digits as Druid's expression"),
    scalar("truncate_long", 2, "(x, scale): the same of a long; refuse what no double holds"),
    scalar("bitwise_and", 2, "64-bit"), scalar("bitwise_or", 2, "64-bit"),
    scalar("bitwise_xor", 2, "64-bit"), scalar("bitwise_complement", 1, "64-bit"),
    scalar("bitwise_shift_left", 2, "64-bit, Java's <<"),
    scalar("bitwise_shift_right", 2, "64-bit, Java's >>"),
    scalar("bitwise_convert_long_bits_to_double", 1, "double"),
    scalar("bitwise_convert_double_to_long_bits", 1, "of a double"),
    scalar("safe_divide_double", 2, "a / b; 0 / 0 is 0; refuse another a by zero"),
    scalar("safe_divide_long", 2, "a / b, NULL for a zero b"),
    scalar("human_readable_binary_byte_format", 2, "(long, precision)"),
    scalar("human_readable_decimal_byte_format", 2, "(long, precision)"),
    scalar("human_readable_decimal_format", 2, "(long, precision)"),
  ]

  static let casts: [SQLiteFunction] = [
    scalar("double_to_long", 1, "Java's (long) x: towards zero, saturating, NaN 0"),
    scalar("double_to_float", 1, "the nearest 32-bit float, as a real"),
    scalar("double_to_text", 1, "Java's Double.toString"),
    scalar("float_to_text", 1, "Java's Float.toString"),
    scalar("float_print", 1, "a float's text where it is the double's too; refuse others"),
    scalar(
      "text_to_long", 1, "Druid's CAST(text AS BIGINT): NULL for what is no number, 1.9 gives 1"),
    scalar(
      "compare_numbers", 2,
      "(text, text): -1, 0 or 1 by the numbers they spell; what spells none is less than any"),
    scalar("text_to_double", 1, "Druid's CAST(text AS DOUBLE): NULL for what is no number"),
    scalar("text_to_boolean", 1, "Java's Boolean.valueOf: 1 for true in any case, else 0"),
    scalar("time_to_text", 2, "(time, zone): yyyy-MM-dd HH:mm:ss"),
    scalar("date_to_text", 2, "(time, zone): yyyy-MM-dd"),
    scalar("text_to_time", 2, "(text, zone): Druid's CAST(text AS TIMESTAMP); NULL for no time"),
    scalar("text_to_date", 2, "(text, zone): the same, floored to its day"),
  ]

  static let strings: [SQLiteFunction] = [
    scalar("upper", 1, "Unicode, locale independent"), scalar("lower", 1, "Unicode"),
    scalar("char_length", 1, "UTF-16 units"),
    scalar("substring", 3, "(text, start from 1, length or -1): UTF-16 units; Druid's SUBSTRING"),
    scalar("pad", 2, "(text, length): blanks behind until that many UTF-16 units (CHAR values)"),
    scalar("left", 2, "(text, n): refuse a negative n"), scalar("right", 2, "(text, n)"),
    scalar("trim", 2, "(text, characters): both sides"), scalar("ltrim", 2, "left side"),
    scalar("rtrim", 2, "right side"),
    scalar("replace", 3, "(text, pattern, replacement), plain"),
    scalar("reverse", 1, "UTF-16 reversed, pairs kept"), scalar("repeat", 2, "(text, n)"),
    scalar("lpad", 3, "(text, length, pad)"), scalar("rpad", 3, "(text, length, pad)"),
    scalar("position", 3, "(needle, text, from 1): 0 when absent"),
    scalar("contains_string", 2, "(text, needle): 0 or 1"),
    scalar("icontains_string", 2, "(text, needle), without case"),
    scalar("like", 3, "(multi, pattern, escape or ''): any value matches; 0 or 1"),
    scalar("regexp_like", 2, "(text, Java pattern): finds it; 0 or 1"),
    scalar("regexp_extract", 3, "(text, pattern, group): NULL when not found"),
    scalar("regexp_replace", 3, "(text, pattern, replacement)"),
    scalar("string_format", 1...32, "(format, ...): Java's String.format; NULLs allowed"),
    scalar("parse_long", 2, "(text, radix): NULL when it is none"),
    scalar("decode_base64_utf8", 1, "text"),
    scalar("ipv4_match", 2, "(address text or long, subnet): 0 or 1"),
    scalar("ipv4_parse", 1, "text or long to long, NULL when it is none"),
    scalar("ipv4_stringify", 1, "text or long to text, NULL when it is none"),
  ]

  static let times: [SQLiteFunction] = [
    scalar("time_floor", 4, "(time, ISO period, origin time or NULL, zone): NULL origin allowed"),
    scalar("time_ceil", 4, "as time_floor"),
    scalar("time_shift", 4, "(time, ISO period, step, zone)"),
    scalar("time_extract", 3, "(time, unit in capitals, zone): long; units of TIME_EXTRACT"),
    scalar(
      "time_parse", 3,
      "(text, Joda pattern or NULL for ISO, zone): NULL pattern allowed; NULL for no time"),
    scalar(
      "time_format", 3,
      "(time, Joda pattern or NULL for ISO with millis, zone): NULL pattern allowed"),
    scalar("add_months", 3, "(time, months, zone): the day is cut to the month's last"),
    scalar(
      "months_between", 3, "(from, to, zone): whole months, as Druid's subtract_months(to, from)"),
    scalar("in_interval", 3, "(time, ISO interval text, zone): 0 or 1, end excluded"),
  ]

  static let multipleValues: [SQLiteFunction] = [
    scalar("mv_json", 1, "(multi): a JSON array of its values, for json_each; NULL gives [null]"),
    scalar(
      "mv_any", 3, "(multi, operator = < <= > >=, text): any value compares so; 0 or 1, 0 for NULL"),
    scalar(
      "mv_range", 4, "(multi, low, high, operators as >=<): any value lies between; 0 or 1"),
    scalar("mv_in", 2, "(multi, JSON array of texts): any value is among them; 0 or 1; NULL 0"),
    scalar("mv_length", 1, "long; 1 for a single value, also for NULL"),
    scalar("mv_contains", 2, "(multi, JSON array): all of these; NULLs allowed; 0 or 1"),
    scalar("mv_overlap", 2, "(multi, JSON array): any of these; 0 or 1"),
    scalar("mv_offset", 2, "(multi, index from 0): NULL outside"),
    scalar("mv_ordinal", 2, "(multi, index from 1): NULL outside"),
    scalar("mv_offset_of", 2, "(multi, text): index from 0, NULL (-1 in older) when absent"),
    scalar("mv_ordinal_of", 2, "(multi, text): index from 1"),
    scalar("mv_slice", 3, "(multi, start, end): multi"),
    scalar("mv_append", 2, "(multi, text): multi"), scalar("mv_prepend", 2, "(text, multi): multi"),
    scalar("mv_concat", 2, "(multi, multi): multi"),
    scalar("mv_to_string", 2, "(multi, separator)"),
    scalar("string_to_mv", 2, "(text, regular separator): multi"),
    scalar("mv_filter_only", 2, "(multi, JSON array): multi of the values among them"),
    scalar("mv_filter_none", 2, "(multi, JSON array): multi of the values not among them"),
    scalar("mv_list", 1, "(multi): as Java prints a list: [a, b]; a single value as it is"),
    scalar("mv_to_array", 1, "(multi): array; NULL for NULL"),
    scalar("array_to_mv", 1, "(array of strings): multi; one value becomes text, none NULL"),
  ]

  static let arrays: [SQLiteFunction] = [
    scalar("array", 0...100, "the arguments as JSON array; reals in Java's form; NULLs allowed"),
    scalar("array_order", 1, "a text that sorts as the array does among arrays of its kind"),
    scalar("array_quantile", 2, "(array of numbers, 0 to 1): between the values at that rank"),
    scalar("array_length", 1, "long"), scalar("array_offset", 2, "(array, index from 0)"),
    scalar("array_ordinal", 2, "(array, index from 1)"),
    scalar("array_offset_of", 2, "(array, value): NULL when absent"),
    scalar("array_ordinal_of", 2, "(array, value)"),
    scalar("array_contains", 2, "(array, array): 0 or 1"),
    scalar("array_overlap", 2, "(array, array): 0 or 1"),
    scalar("array_append", 2, "(array, value): a NULL value allowed"),
    scalar("array_prepend", 2, "(value, array): a NULL value allowed"),
    scalar("array_concat", 2, "(array, array)"), scalar("array_slice", 3, "(array, start, end)"),
    scalar("array_to_string", 2, "(array, separator)"),
    scalar("string_to_array", 2, "(text, regular separator)"),
  ]

  static let json: [SQLiteFunction] = [
    scalar(
      "json_object", 0...100,
      "(key, value, ...): NULL values allowed; a value that begins with U+0001 is JSON"),
    scalar(
      "json_value", 3,
      "(json, path, VARCHAR | BIGINT | DOUBLE | BOOLEAN): NULL when absent or no scalar"),
    scalar("json_query", 2, "(json, path): JSON or NULL"),
    scalar("parse_json", 1, "(text): JSON; an error when it is none"),
    scalar("try_parse_json", 1, "(text): JSON or NULL"),
    scalar("to_json_string", 1, "(json): text"),
    scalar("json_keys", 2, "(json, path): array"), scalar("json_paths", 1, "(json): array"),
  ]

  static let aggregates: [SQLiteFunction] = [
    window("sum_long", 1, "the sum of longs, wrapping; NULL for no value"),
    aggregate(
      "earliest", 3,
      "(value, time, bytes kept of a text): value of the least time, the first row of a tie; NULL values count; NULL times do not"
    ),
    aggregate(
      "latest", 3, "(value, time, bytes): value of the greatest time, the last row of a tie"),
    aggregate("any_value", 2, "(value, bytes): the first row's; refuse a NULL before others"),
    aggregate(
      "array_agg", 3,
      "(value or multi, bytes, 0): JSON array in row order, NULLs kept, NULL for no row; (.., 1): distinct and sorted; 2 and 3 the same of arrays"
    ),
    aggregate(
      "string_agg", 4,
      "(multi, separator, bytes, distinct 0 or 1): NULLs skipped, distinct ones sorted; NULL for none"
    ),
    aggregate("array_concat_agg", 3, "(array, bytes, distinct 0 or 1): NULLs skipped"),
    aggregate("count_distinct", 1, "(multi): its values, each once; NULL and empty ones skipped"),
    aggregate("bit_or", 1, "of longs; NULL for no value"), aggregate("bit_xor", 1, "of longs"),
    aggregate(
      "approx_count_distinct", 2,
      "(value, 1 for a FLOAT else 0): HyperLogLog of the values, NULLs skipped; 0 for none"),
    aggregate(
      "quantile", 2,
      "(double, fraction): the least value that so many of the values do not exceed; NaN for none"
    ),
    aggregate("variance", 2, "(double, VAR_POP | VAR_SAMP | STDDEV_POP | STDDEV_SAMP)"),
  ]
}
