import CPCRE2

/// A Java regular expression, matched by PCRE2 over UTF-8 within limits.
///
/// Only one thread may use it at a time, because matching uses memory that belongs to the
/// expression.
@safe
package final class RegularExpression {
  private let code: OpaquePointer
  private let memory: OpaquePointer
  private let settings: OpaquePointer
  let groupCount: Int
  private let groupNames: [String: Int]
  private let watch = Watch()

  /// Maximum steps of one match attempt, about a quarter of a second.
  private static let stepLimit: UInt32 = 10_000_000
  /// Maximum backtracking memory of one match, in KiB.
  private static let heapLimit: UInt32 = 64 << 10

  /// The version of the PCRE2 that is loaded.
  package static var libraryVersion: String {
    let length = Int(pcre2_config_8(UInt32(PCRE2_CONFIG_VERSION), nil))
    guard length > 0 else { return "unknown" }
    var text = [UInt8](repeating: 0, count: length)
    unsafe pcre2_config_8(UInt32(PCRE2_CONFIG_VERSION), &text)
    // The text ends with a zero byte, and its date follows a space.
    let version = text.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
    return String(decoding: version, as: UTF8.self)
  }

  /// - Throws: `invalid` when Java refuses the pattern, `unsupported` when it has no equivalent
  ///   here.
  package init(_ pattern: String) throws(ValueFailure) {
    let java = try JavaPattern(pattern)
    groupCount = java.groupCount
    groupNames = java.names
    let rewritten = Array("\(JavaPattern.callout)(?:\(java.text))".utf8)
    var error: Int32 = 0
    var offset = 0
    let code = unsafe rewritten.withUnsafeBufferPointer { bytes in
      unsafe pcre2_compile_8(
        bytes.baseAddress, bytes.count, PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C,
        &error, &offset, nil)
    }
    guard let code = unsafe code else {
      throw .unsupported("The regular expression is not supported here: \(Self.message(error))")
    }
    guard let memory = unsafe pcre2_match_data_create_from_pattern_8(code, nil),
      let settings = unsafe pcre2_match_context_create_8(nil)
    else { throw .unsupported("No memory for a regular expression") }
    unsafe pcre2_set_match_limit_8(settings, Self.stepLimit)
    unsafe pcre2_set_heap_limit_8(settings, Self.heapLimit)
    unsafe pcre2_set_callout_8(
      settings, Watch.ask, Unmanaged.passUnretained(watch).toOpaque())
    unsafe self.code = code
    unsafe self.memory = memory
    unsafe self.settings = settings
  }

  deinit {
    unsafe pcre2_match_context_free_8(settings)
    unsafe pcre2_match_data_free_8(memory)
    unsafe pcre2_code_free_8(code)
  }

  private static func message(_ error: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 256)
    let length = unsafe bytes.withUnsafeMutableBufferPointer { bytes in
      unsafe pcre2_get_error_message_8(error, bytes.baseAddress, bytes.count)
    }
    return String(decoding: bytes.prefix(max(0, Int(length))), as: UTF8.self)
  }

  /// Decides during a match whether the query may continue.
  private final class Watch {
    var limits: QueryLimits?
    /// Estimated work since the last check, in bytes.
    var work = 0

    static let ask:
      @convention(c) (UnsafeMutablePointer<pcre2_callout_block_8>?, UnsafeMutableRawPointer?) ->
        Int32 = { _, data in
          guard let data = unsafe data else { return 0 }
          let watch = unsafe Unmanaged<Watch>.fromOpaque(data).takeUnretainedValue()
          return watch.limits?.mustEnd(after: watch.work) == true ? PCRE2_ERROR_CALLOUT : 0
        }
  }

  // MARK: Matching

  /// Calls `found` for each match, like Java's `find`, with the ranges of the match and its groups.
  /// A group that did not participate has none. Stops when `found` returns false.
  private func eachMatch(
    in text: [UInt8], _ limits: QueryLimits?,
    _ found: ([Range<Int>?]) throws(ValueFailure) -> Bool
  ) throws(ValueFailure) {
    watch.limits = limits
    watch.work = 64 + text.count / 8
    defer { watch.limits = nil }
    var from = 0
    while from <= text.count {
      guard let groups = try match(text, from) else { return }
      guard let whole = groups[0], try found(groups) else { return }
      from = whole.upperBound
      if whole.isEmpty {
        from += 1
        while from < text.count, text[from] & 0xC0 == 0x80 { from += 1 }
      }
    }
  }

  private func match(_ text: [UInt8], _ start: Int) throws(ValueFailure) -> [Range<Int>?]? {
    let status = unsafe text.withUnsafeBufferPointer { bytes in
      var empty: UInt8 = 0
      return unsafe withUnsafePointer(to: &empty) { none in
        unsafe pcre2_match_8(
          code, bytes.baseAddress ?? none, bytes.count, start, PCRE2_NO_UTF_CHECK, memory, settings)
      }
    }
    switch status {
    case PCRE2_ERROR_NOMATCH: return nil
    case PCRE2_ERROR_CALLOUT: throw .interrupted
    case PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_HEAPLIMIT, PCRE2_ERROR_DEPTHLIMIT,
      PCRE2_ERROR_NOMEMORY:
      throw .unsupported("The regular expression takes too many steps")
    case ..<0:
      throw .unsupported("The regular expression fails here: \(Self.message(status))")
    default: break
    }
    guard let places = unsafe pcre2_get_ovector_pointer_8(memory) else { return nil }
    // A group that did not participate has position -1.
    return (0...groupCount).map { group in
      let (start, end) = unsafe (places[2 * group], places[2 * group + 1])
      return start < 0 || start > end ? nil : start..<end
    }
  }

  /// REGEXP_LIKE: whether the text contains a match.
  package func isFound(in text: String, _ limits: QueryLimits? = nil) throws(ValueFailure) -> Bool {
    var isFound = false
    try eachMatch(in: Array(text.utf8), limits) { _ throws(ValueFailure) in
      isFound = true
      return false
    }
    return isFound
  }

  /// REGEXP_EXTRACT: a group of the first match; nil when there is no match. Only a match shows that
  /// the group does not exist.
  package func extract(
    _ group: Int, of text: String, _ limits: QueryLimits? = nil
  ) throws(ValueFailure) -> String? {
    let bytes = Array(text.utf8)
    var extracted: String?
    try eachMatch(in: bytes, limits) { groups throws(ValueFailure) in
      guard (0...groupCount).contains(group) else { throw .uncategorized("No group \(group)") }
      extracted = groups[group].map { String(decoding: bytes[$0], as: UTF8.self) }
      return false
    }
    return extracted
  }

  /// REGEXP_REPLACE: replaces every match. `$1` and `${name}` refer to groups.
  package func replacing(
    in text: String, with replacement: String, _ limits: QueryLimits? = nil
  ) throws(ValueFailure) -> String {
    let bytes = Array(text.utf8)
    let template = Array(replacement.utf8)
    var result: [UInt8] = []
    var position = 0
    try eachMatch(in: bytes, limits) { groups throws(ValueFailure) in
      guard let whole = groups[0] else { return false }
      result += bytes[position..<whole.lowerBound]
      try expand(template, groups, bytes, into: &result)
      try Text.checkSize(result.count)
      position = whole.upperBound
      return true
    }
    return String(decoding: result + bytes[position...], as: UTF8.self)
  }

  /// The pieces between the matches, as from Java's split with a limit of -1.
  package func split(
    _ text: String, _ limits: QueryLimits? = nil
  ) throws(ValueFailure) -> [String] {
    let bytes = Array(text.utf8)
    var pieces: [String] = []
    var position = 0
    try eachMatch(in: bytes, limits) { groups throws(ValueFailure) in
      guard let whole = groups[0] else { return false }
      if whole.upperBound == 0 { return true }
      if whole.isEmpty, whole.lowerBound == bytes.count { return false }
      pieces.append(String(decoding: bytes[position..<whole.lowerBound], as: UTF8.self))
      position = whole.upperBound
      return true
    }
    pieces.append(String(decoding: bytes[position...], as: UTF8.self))
    return pieces
  }

  // MARK: Replacement

  private func expand(
    _ template: [UInt8], _ groups: [Range<Int>?], _ text: [UInt8], into result: inout [UInt8]
  ) throws(ValueFailure) {
    var index = 0
    while index < template.count {
      let byte = template[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\\"):
        guard index < template.count else { throw .invalid("character to be escaped is missing") }
        result.append(template[index])
        index += 1
      case UInt8(ascii: "$"):
        if let range = groups[try groupNumber(in: template, &index)] { result += text[range] }
      default: result.append(byte)
      }
    }
  }

  private func groupNumber(in template: [UInt8], _ index: inout Int) throws(ValueFailure) -> Int {
    guard index < template.count else {
      throw .invalid("Illegal group reference: group index is missing")
    }
    if template[index] == UInt8(ascii: "{") {
      let bytes = template[(index + 1)...].prefix { $0 != UInt8(ascii: "}") }
      let name = String(decoding: bytes, as: UTF8.self)
      index += bytes.count + 2
      guard index <= template.count, let number = groupNames[name] else {
        throw .uncategorized("No group with name {\(name)}")
      }
      return number
    }
    guard template[index] &- 48 < 10 else { throw .invalid("Illegal group reference") }
    var number = Int(template[index] - 48)
    index += 1
    guard number <= groupCount else { throw .uncategorized("No group \(number)") }
    while index < template.count, template[index] &- 48 < 10 {
      let longer = number * 10 + Int(template[index] - 48)
      guard longer <= groupCount else { break }
      number = longer
      index += 1
    }
    return number
  }
}
