import DruidSQL
import Glibc
import JSONLines
import JavaValues
import Plumbing

/// Turns the messages of one supervisor into rows. One thread owns it.
struct RowReader: ~Copyable {
  /// What became of a message.
  enum Outcome: Equatable {
    case rows(Int, withError: Bool, filtered: Int = 0)
    case unparseable(String)
    /// An empty record.
    case thrownAway
    /// What a real Druid would make of it is not known here.
    case refused(String)
  }

  private var spec: IngestionSpec
  private var writer: TableWriter
  private var line: JSONLine
  /// The moments of events that are taken.
  var accepted = QueryGranularity.moments
  /// Field 0 is the timestamp; then the dimensions, then the fields of the metrics.
  private var fields: [String]
  /// Rolled-up rows by the bytes of their time and dimensions.
  private var groups: [[UInt8]: UInt32] = [:]

  init(_ spec: IngestionSpec, storage: TemporaryStorage) {
    self.spec = spec
    writer = TableWriter(schema: spec.schema, storage: storage, isRolledUp: spec.isRolledUp)
    fields = Self.fields(of: spec)
    line = JSONLine(fields: fields.map { [$0] })
  }

  private static func fields(of spec: IngestionSpec) -> [String] {
    [spec.timestamp.column] + spec.dimensions.map(\.name) + spec.metrics.map(\.field)
  }

  /// Goes on with another spec, whose columns are the same.
  mutating func replace(_ spec: IngestionSpec) {
    precondition(spec.schema == self.spec.schema && spec.isRolledUp == self.spec.isRolledUp)
    self.spec = spec
    fields = Self.fields(of: spec)
    line = JSONLine(fields: fields.map { [$0] })
  }

  /// All rows so far.
  mutating func publish() -> TableSnapshot { writer.publish() }

  /// Takes a message, followed in memory by ``BlockReader/padding`` readable bytes.
  ///
  /// - Parameter sent: the message's own time.
  mutating func read(
    _ message: UnsafeRawBufferPointer, sent: Int64 = -1
  ) throws(StorageFull) -> Outcome {
    guard spec.isPlain else { return try unsafe readSlowly(message, sent: sent) }
    let isObject: Bool
    do {
      try line.read(unsafe message.bytes)
      isObject = true
    } catch {
      isObject = false
    }
    if isObject {
      guard let time = time() else { return .unparseable("Timestamp[\(timeText)] is unparseable!") }
      guard accepted.contains(time) else { return .rows(0, withError: false, filtered: 1) }
      var hasError = false
      try writer.beginRow()
      writer.set(time: spec.granularity.floor(time))
      for index in spec.dimensions.indices {
        try set(index, &hasError)
      }
      try finishRow(&hasError) { .fromLine($0) }
      return .rows(1, withError: hasError)
    }
    return try unsafe readSlowly(message)
  }

  private func time() -> Int64? {
    switch line.kind(0) {
    case .number:
      return line.withBytes(of: 0) { bytes in
        let value = unsafe bytes.withUnsafeBytes { unsafe NumberText.long($0) }
        if let value { return spec.timestamp.milliseconds(number: value) }
        let number = Double(line.text(of: 0)) ?? 0
        return spec.timestamp.milliseconds(number: JavaNumber.long(number))
      }.flatMap { Self.possible($0) }
    case .string:
      return spec.timestamp.milliseconds(text: line.text(of: 0)).flatMap { Self.possible($0) }
    case .absent, .null: return spec.timestamp.missingValue
    default: return nil
    }
  }

  private var timeText: String {
    line.kind(0) == .absent || line.kind(0) == .null ? "null" : line.text(of: 0)
  }

  /// Druid takes no moment beyond half of what a long holds.
  private static func possible(_ time: Int64) -> Int64? {
    QueryGranularity.moments.contains(time) ? time : nil
  }

  private mutating func set(_ index: Int, _ hasError: inout Bool) throws(StorageFull) {
    let column = index + 1
    let field = index + 1
    let kind = spec.dimensions[index].kind
    switch (line.kind(field), kind) {
    case (.absent, _), (.null, _): writer.setNull(column)
    case (.string, .string):
      try line.withBytes(of: field) { (bytes) throws(StorageFull) in
        try unsafe bytes.withUnsafeBytes { (text) throws(StorageFull) in
          try unsafe writer.set(column, text: text)
        }
      }
    case (.number, .long):
      let value = line.withBytes(of: field) { bytes in
        unsafe bytes.withUnsafeBytes { unsafe NumberText.long($0) }
      }
      if let value {
        writer.set(column, long: value)
      } else {
        try set(column, .fromLine(field), spec.dimensions[index], &hasError)
      }
    case (.number, .double):
      writer.set(
        column,
        double: line.withBytes(of: field) { bytes in
          unsafe bytes.withUnsafeBytes { unsafe NumberText.double($0) }
        })
    default: try set(column, .fromLine(field), spec.dimensions[index], &hasError)
    }
  }

  /// A value that is either still in the parser, by its field, or at hand.
  private enum Source {
    case fromLine(Int)
    case given(FieldValue)
  }

  private func value(_ source: Source) -> FieldValue {
    switch source {
    case .given(let value): return value
    case .fromLine(let field):
      switch line.kind(field) {
      case .absent, .null: return .null
      case .true: return .bool(true)
      case .false: return .bool(false)
      case .number: return .number(line.text(of: field))
      case .string: return .text(line.text(of: field))
      case .array, .object:
        var text = "{\"v\":" + line.text(of: field) + "}"
        return text.withUTF8 { bytes in
          var reader = unsafe MessageText(UnsafeRawBufferPointer(bytes))
          return (try? reader.objects())?.first?.first?.value ?? .null
        }
      }
    }
  }

  private mutating func set(
    _ column: Int, _ source: Source, _ dimension: IngestionSpec.Dimension, _ hasError: inout Bool
  ) throws(StorageFull) {
    let value = value(source)
    switch dimension.kind {
    case .string: try set(column, strings: value, dimension)
    case .long:
      do {
        if let number = try value.asLong() {
          return writer.set(column, long: number)
        }
      } catch { hasError = true }
      writer.setNull(column)
    case .double, .float, .time:
      do {
        if let number = try value.asDouble() {
          let isFloat = dimension.kind == .float
          return writer.set(column, double: isFloat ? Double(Float(number)) : number)
        }
      } catch { hasError = true }
      writer.setNull(column)
    }
  }

  private mutating func set(
    _ column: Int, strings value: FieldValue, _ dimension: IngestionSpec.Dimension
  ) throws(StorageFull) {
    guard case .list(let elements) = value else {
      return try set(column, text: value.javaText)
    }
    var texts = elements.map { $0.javaText.map(ExactText.init) }
    if dimension.multiValues != .array, texts.count > 1 {
      texts.sort { one, other in
        guard let one, let other else { return one == nil && other != nil }
        return one < other
      }
    }
    if dimension.multiValues == .sortedSet {
      texts = texts.enumerated().filter { $0 == 0 || texts[$0 - 1] != $1 }.map(\.element)
    }
    guard texts.count > 1 else { return try set(column, text: texts.first??.text) }
    let json = Array(JSONTree(texts: texts.map { $0?.text }).text.utf8)
    try unsafe json.span.bytes.withUnsafeBytes { (bytes) throws(StorageFull) in
      try unsafe writer.set(column, text: bytes, isMultiValue: true)
    }
  }

  private mutating func set(_ column: Int, text: String?) throws(StorageFull) {
    guard let text else { return writer.setNull(column) }
    let bytes = Array(text.utf8)
    try unsafe bytes.span.bytes.withUnsafeBytes { (bytes) throws(StorageFull) in
      try unsafe writer.set(column, text: bytes)
    }
  }

  /// The metrics of the row whose dimensions are set, and its end; a rolled-up row may go into an older one.
  private mutating func finishRow(
    _ hasError: inout Bool, _ source: (Int) -> Source
  ) throws(StorageFull) {
    let firstMetric = spec.dimensions.count + 1
    var cells: [NumberCell] = []
    for (index, metric) in spec.metrics.enumerated() {
      guard metric.function != .count else {
        cells.append(.long(1))
        continue
      }
      let value = value(source(firstMetric + index))
      do {
        cells.append(try metric.cell(of: value))
      } catch {
        hasError = true
        cells.append(.null)
      }
    }
    if spec.isRolledUp {
      let key = writer.key(upTo: firstMetric)
      if let row = groups[key] {
        for (index, metric) in spec.metrics.enumerated() {
          try writer.update(row, firstMetric + index) { metric.combine($0, cells[index]) }
        }
        return
      }
      groups[key] = writer.rowNumber
    }
    for (index, cell) in cells.enumerated() {
      switch cell {
      case .null: writer.setNull(firstMetric + index)
      case .long(let value): writer.set(firstMetric + index, long: value)
      case .double(let value): writer.set(firstMetric + index, double: value)
      }
    }
    writer.endRow()
  }

  /// What becomes of a record without a value.
  var outcomeOfNothing: Outcome {
    // A real Druid makes a row of its time, key and headers, in ways that are not known here.
    spec.envelope == nil
      ? .thrownAway : .refused("a record without a value in the input format kafka")
  }

  private mutating func readSlowly(
    _ message: UnsafeRawBufferPointer, sent: Int64 = -1
  ) throws(StorageFull) -> Outcome {
    var text = unsafe MessageText(message)
    var objects: [[FieldValue.Member]]
    do {
      objects = try text.objects()
    } catch {
      return .unparseable(unsafe "Unable to parse row [\(Self.shown(message))]")
    }
    guard !objects.isEmpty else {
      return .unparseable(
        unsafe "Unable to parse [\(Self.shown(message))] as the intermediateRow resulted in empty input row"
      )
    }
    var rows: [InputRow] = []
    do throws(Expression.Failure) {
      for object in objects {
        let fields = try enveloped(spec.flattening.flattened(object), sent: sent)
        let stamp = fields.first { $0.key == spec.timestamp.column }?.value ?? .null
        guard let time = time(of: stamp) else {
          return .unparseable("Timestamp[\(stamp.javaText ?? "null")] is unparseable!")
        }
        let row = try transformed(InputRow(time: time, fields: fields))
        guard accepted.contains(row.time) else { continue }
        if try spec.filter?.admits(row) ?? true { rows.append(row) }
      }
    } catch {
      switch error {
      case .bad(let reason): return .unparseable("Could not transform value: \(reason)")
      case .unknown(let reason): return .refused(reason)
      }
    }
    var hasError = false
    for row in rows {
      let values = fields.map { row[$0] }
      try writer.beginRow()
      writer.set(time: spec.granularity.floor(row.time))
      for (index, dimension) in spec.dimensions.enumerated() {
        try set(index + 1, .given(values[index + 1]), dimension, &hasError)
      }
      try finishRow(&hasError) { .given(values[$0]) }
    }
    return .rows(rows.count, withError: hasError, filtered: objects.count - rows.count)
  }

  /// The fields with what the message says beside its value.
  private func enveloped(
    _ fields: [FieldValue.Member], sent: Int64
  ) throws(Expression.Failure) -> [FieldValue.Member] {
    guard let envelope = spec.envelope else { return fields }
    let names = [envelope.timestampColumn, envelope.topicColumn]
    guard !fields.contains(where: { names.contains($0.key) }) else {
      throw .unknown("a field of a message that is named as its time or topic is")
    }
    return fields + [
      .init(key: envelope.timestampColumn, value: .long(sent)),
      .init(key: envelope.topicColumn, value: .text(spec.topic)),
    ]
  }

  /// The fields with what is computed from them; expressions see the message's own fields only.
  private func transformed(_ row: InputRow) throws(Expression.Failure) -> InputRow {
    var result = row
    for transform in spec.transforms {
      let value = try transform.expression.value(of: row)
      guard transform.name != "__time" else {
        guard case .long(let time) = value, let time = Self.possible(time) else {
          throw .unknown("a transform makes __time no moment")
        }
        result.time = time
        continue
      }
      result.fields.removeAll { $0.key == transform.name }
      result.fields.append(FieldValue.Member(key: transform.name, value: value))
    }
    return result
  }

  private func time(of value: FieldValue) -> Int64? {
    let time: Int64? =
      switch value {
      case .null: spec.timestamp.missingValue
      case .long(let number): spec.timestamp.milliseconds(number: number)
      case .double(let number): spec.timestamp.milliseconds(number: JavaNumber.long(number))
      case .text(let text): spec.timestamp.milliseconds(text: text)
      default: nil
      }
    return time.flatMap { Self.possible($0) }
  }

  private static func shown(_ message: UnsafeRawBufferPointer) -> String {
    unsafe String(decoding: message.prefix(1000), as: UTF8.self)
  }
}
