import DruidSQL
import Glibc
import JSONLines
import JavaValues
import Plumbing

/// Converts the messages of one supervisor to rows, on one thread.
struct RowReader: ~Copyable {
  /// The result for a message.
  enum Outcome: Equatable {
    case rows(Int, withError: Bool, filtered: Int = 0)
    case unparseable(String)
    /// An empty record.
    case thrownAway
    /// It is not known how a real Druid treats the message.
    case refused(String)
  }

  /// A message's metadata.
  struct Beside: Sendable {
    /// Milliseconds since 1970.
    var sent: Int64 = -1
    var key: [UInt8]?
    var headers: [(name: String, value: [UInt8]?)] = []
  }

  /// Maximum number of columns of a datasource. Further fields are left out.
  static let columnLimit = 250
  /// Maximum number of fields that the fast parser looks up.
  private static let lineLimit = 64

  /// The current spec. An automatic one changes when the time column is found.
  private(set) var spec: IngestionSpec
  private var writer: TableWriter
  private var line: JSONLine
  /// The spec's dimensions. Where the spec leaves the kind open, their values determine it.
  private var dimensions: [IngestionSpec.Dimension]
  /// Columns that the spec does not name, in order of appearance. They follow the metrics.
  private var discovered: [IngestionSpec.Dimension] = []
  /// The types of columns whose values determine them, by column.
  private var types: [Int: DiscoveredType] = [:]
  private var columnNames: Set<String> = []
  /// Fields that are not columns.
  private var passed: [String] = []
  private var passedSet: Set<String> = []
  /// The number of fields left out because there are too many columns.
  private(set) var leftOut = 0
  /// The accepted event times.
  var accepted = QueryGranularity.moments
  /// Field 0 is the timestamp; then the dimensions, then the fields of the metrics.
  private var fields: [String]
  /// Rolled-up rows, by the bytes of their time and dimensions.
  private var groups: [[UInt8]: UInt32] = [:]
  /// The times of the values that first and last metrics of rolled-up rows have.
  private var momentsOfMetrics: [MetricPlace: Int64] = [:]

  private struct MetricPlace: Hashable {
    let row: UInt32
    let metric: Int
  }

  init(_ spec: IngestionSpec, storage: TemporaryStorage) {
    self.spec = spec
    writer = TableWriter(schema: spec.schema, storage: storage, isRolledUp: spec.isRolledUp)
    dimensions = spec.dimensions
    fields = []
    line = JSONLine(fields: [])
    follow(spec)
  }

  /// Continues with another spec that has the same own columns.
  mutating func replace(_ spec: IngestionSpec) {
    precondition(spec.schema == self.spec.schema && spec.isRolledUp == self.spec.isRolledUp)
    self.spec = spec
    follow(spec)
  }

  private mutating func follow(_ spec: IngestionSpec) {
    passed = []
    passedSet = []
    for (index, dimension) in spec.dimensions.enumerated() {
      guard dimension.isAutomatic else { continue }
      if types[index + 1] == nil { types[index + 1] = DiscoveredType() }
    }
    columnNames = Set(
      spec.dimensions.map(\.name) + spec.metrics.map(\.name) + discovered.map(\.name))
    if let discovery = spec.discovery {
      let sources = spec.metrics.map(\.field)
      for name in discovery.exclusions + ["__time"] + sources
      where !columnNames.contains(name) && name != spec.timestamp.column {
        pass(name)
      }
    }
    nameFields()
  }

  private mutating func pass(_ name: String) {
    if passedSet.insert(name).inserted { passed.append(name) }
  }

  /// Numbers the fields, so that a dimension's, metric's or discovered field's number is also that
  /// of its column.
  private mutating func nameFields() {
    fields =
      [spec.timestamp.column] + dimensions.map(\.name) + spec.metrics.map(\.field)
      + discovered.map(\.name)
    let asked = fields + passed.prefix(max(0, Self.lineLimit - fields.count))
    line = JSONLine(fields: asked.prefix(Self.lineLimit).map { [$0] })
  }

  private var firstDiscovered: Int { 1 + dimensions.count + spec.metrics.count }

  /// The current columns.
  private var schema: TableSchema {
    var schema = spec.schema
    for (column, type) in types where column < firstDiscovered {
      schema.columns[column].kind = type.storedKind
    }
    for dimension in discovered {
      schema.columns.append(ColumnDescription(name: dimension.name, kind: dimension.kind))
    }
    return schema
  }

  /// All rows so far.
  mutating func publish() -> TableSnapshot { writer.publish() }

  /// Reads a message, which must be followed in memory by ``BlockReader/padding`` readable bytes.
  mutating func read(
    _ message: UnsafeRawBufferPointer, beside: Beside = Beside()
  ) throws(StorageFull) -> Outcome {
    if let automatic = spec.automaticTime {
      guard let outcome = try unsafe begin(message, automatic) else {
        return try unsafe readSlowly(message, beside)
      }
      return outcome
    }
    guard spec.isPlain, fields.count <= Self.lineLimit else {
      return try unsafe readSlowly(message, beside)
    }
    let isObject: Bool
    do {
      try line.read(unsafe message.bytes)
      isObject = true
    } catch {
      isObject = false
    }
    guard isObject, fitsColumns() else { return try unsafe readSlowly(message, beside) }
    guard let time = time() else { return .unparseable("Timestamp[\(timeText)] is unparseable!") }
    guard accepted.contains(time) else { return .rows(0, withError: false, filtered: 1) }
    var hasError = false
    try writer.beginRow()
    writer.set(time: spec.granularity.floor(time))
    for index in dimensions.indices {
      try set(index + 1, dimensions[index], &hasError)
    }
    for index in discovered.indices {
      try set(firstDiscovered + index, discovered[index], &hasError)
    }
    try finishRow(at: time, &hasError) { .fromLine($0) }
    return .rows(1, withError: hasError)
  }

  /// Whether the existing columns fit the line's fields and their types.
  private func fitsColumns() -> Bool {
    if spec.discovery != nil {
      // A parser with a single name does not count the other fields.
      guard line.otherFields == 0, fields.count > 1 else { return false }
    }
    guard !types.isEmpty else { return spec.discovery == nil || fitsPassed() }
    for (column, type) in types {
      switch (line.kind(column), type.kind) {
      case (.absent, _), (.null, _), (.string, .string), (.number, .double): break
      case (.number, .long):
        let isWhole = line.withBytes(of: column) { bytes in
          unsafe bytes.withUnsafeBytes { unsafe NumberText.long($0) } != nil
        }
        guard isWhole, !type.isBoolean else { return false }
      case (.true, .long), (.false, .long): guard type.isBoolean else { return false }
      default: return false
      }
    }
    return fitsPassed()
  }

  /// Whether no other field of the line needs a column. Without types, nested values do not.
  private func fitsPassed() -> Bool {
    guard let discovery = spec.discovery, !discovery.isTyped else { return true }
    for index in 0..<min(passed.count, Self.lineLimit - fields.count) {
      guard !isExcluded(passed[index]) else { continue }
      let kind = line.kind(fields.count + index)
      guard kind == .absent || kind == .null || kind == .object else { return false }
    }
    return discovered.indices.allSatisfy { line.kind(firstDiscovered + $0) != .array }
  }

  private func isExcluded(_ name: String) -> Bool {
    name == "__time" || name == spec.timestamp.column
      || spec.discovery?.exclusions.contains(name) ?? false
      || spec.metrics.contains { $0.field == name }
  }

  /// Finds the time column of a topic without a specification. Nil when it was found, and the
  /// message can be read.
  private mutating func begin(
    _ message: UnsafeRawBufferPointer, _ automatic: AutomaticTime
  ) throws(StorageFull) -> Outcome? {
    let first = unsafe message.first { !" \t\r\n".utf8.contains($0) }
    guard first == UInt8(ascii: "{") else { return .unparseable("not a JSON object") }
    let text = unsafe String(decoding: message, as: UTF8.self)
    guard let object = FieldValue.objects(of: text)?.first else { return .unparseable("not JSON") }
    guard let found = automatic.find(in: object),
      let decided = spec.decided(column: found.column, format: found.format)
    else { return .unparseable(automatic.reason) }
    replace(decided)
    return nil
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

  /// The time, if Druid accepts it: its limits are half of a long's.
  private static func possible(_ time: Int64) -> Int64? {
    QueryGranularity.moments.contains(time) ? time : nil
  }

  /// Sets a column from the field with the same number.
  private mutating func set(
    _ column: Int, _ dimension: IngestionSpec.Dimension, _ hasError: inout Bool
  ) throws(StorageFull) {
    let field = column
    switch (line.kind(field), dimension.kind) {
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
        try set(column, .fromLine(field), dimension, &hasError)
      }
    case (.number, .double):
      writer.set(
        column,
        double: line.withBytes(of: field) { bytes in
          unsafe bytes.withUnsafeBytes { unsafe NumberText.double($0) }
        })
    default: try set(column, .fromLine(field), dimension, &hasError)
    }
  }

  /// Where a value is: still in the parser, by its field, or parsed.
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
        return JSONTree(parsingMessage: line.text(of: field)).map { FieldValue($0) } ?? .null
      }
    }
  }

  private mutating func set(
    _ column: Int, _ source: Source, _ dimension: IngestionSpec.Dimension, _ hasError: inout Bool
  ) throws(StorageFull) {
    let value = value(source)
    if dimension.isAutomatic {
      return try set(column, value.stored(as: dimension.kind))
    }
    switch dimension.kind {
    case .json, .array:
      try set(column, value.stored(as: dimension.kind))
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
    if elements.isEmpty { return writer.setEmptyList(column) }
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

  private mutating func set(_ column: Int, _ cell: StoredCell) throws(StorageFull) {
    switch cell {
    case .null: writer.setNull(column)
    case .long(let value): writer.set(column, long: value)
    case .double(let value): writer.set(column, double: value)
    case .text(let text): try set(column, text: text)
    }
  }

  private mutating func set(_ column: Int, text: String?) throws(StorageFull) {
    guard let text else { return writer.setNull(column) }
    let bytes = Array(text.utf8)
    try unsafe bytes.span.bytes.withUnsafeBytes { (bytes) throws(StorageFull) in
      try unsafe writer.set(column, text: bytes)
    }
  }

  /// Adds the metrics of the row whose dimensions are set, and ends it. A rolled-up row may be
  /// merged into an earlier one.
  ///
  /// - Parameter row: the row as filters of metrics see it.
  private mutating func finishRow(
    at time: Int64, of row: InputRow? = nil, _ hasError: inout Bool, _ source: (Int) -> Source
  ) throws(StorageFull) {
    let firstMetric = dimensions.count + 1
    var cells: [StoredCell] = []
    for (index, metric) in spec.metrics.enumerated() {
      if let filter = metric.filter, let row {
        // Rows that a filter can't decide were refused before.
        guard (try? filter.admits(row)) ?? false else {
          cells.append(metric.function == .count ? .long(0) : .null)
          continue
        }
      }
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
      let key = writer.key(of: keyColumns)
      if let row = groups[key] {
        for (index, metric) in spec.metrics.enumerated() {
          let isLater = isNewer(metric, MetricPlace(row: row, metric: index), time, cells[index])
          try writer.update(row, firstMetric + index) {
            metric.combine($0, cells[index], takesNew: isLater)
          }
        }
        return
      }
      groups[key] = writer.rowNumber
      for (index, metric) in spec.metrics.enumerated() where metric.isOfMoment {
        momentsOfMetrics[MetricPlace(row: writer.rowNumber, metric: index)] = time
      }
    }
    for (index, cell) in cells.enumerated() { try set(firstMetric + index, cell) }
    writer.endRow()
  }

  /// Whether a first or last metric replaces its value by that of another time.
  private mutating func isNewer(
    _ metric: IngestionSpec.Metric, _ place: MetricPlace, _ time: Int64, _ cell: StoredCell
  ) -> Bool {
    guard metric.isOfMoment else { return false }
    let old = momentsOfMetrics[place] ?? time
    let takes = metric.function == .first ? time < old : time >= old
    if takes { momentsOfMetrics[place] = time }
    return takes
  }

  /// The columns whose values are equal in rows that are rolled up into one.
  private var keyColumns: [Int] {
    Array(0...dimensions.count) + discovered.indices.map { firstDiscovered + $0 }
  }

  /// Reads a record without a value: no row, or with the input format `kafka` a row of its time,
  /// key and headers.
  mutating func readNothing(_ beside: Beside) throws(StorageFull) -> Outcome {
    guard spec.envelope != nil else { return .thrownAway }
    return try take([[]], beside)
  }

  private mutating func readSlowly(
    _ message: UnsafeRawBufferPointer, _ beside: Beside
  ) throws(StorageFull) -> Outcome {
    var objects: [[FieldValue.Member]]
    if let format = spec.delimitedText {
      objects = unsafe format.rows(String(decoding: message, as: UTF8.self))
    } else {
      let text = unsafe String(decoding: message, as: UTF8.self)
      guard let found = FieldValue.objects(of: text) else {
        return .unparseable(unsafe "Unable to parse row [\(Self.shown(message))]")
      }
      objects = found
    }
    guard !objects.isEmpty else {
      return .unparseable(
        unsafe "Unable to parse [\(Self.shown(message))] as the intermediateRow resulted in empty input row"
      )
    }
    return try take(objects, beside)
  }

  /// Converts the objects of a message to rows.
  private mutating func take(
    _ objects: [[FieldValue.Member]], _ beside: Beside
  ) throws(StorageFull) -> Outcome {
    var rows: [(row: InputRow, fields: [FieldValue.Member])] = []
    do throws(Expression.Failure) {
      let envelope = spec.envelope?.fields(topic: spec.topic, beside) ?? []
      for object in objects {
        let fields = Self.merged(spec.flattening.flattened(object), envelope)
        let stamp = fields.first { $0.key == spec.timestamp.column }?.value ?? .null
        guard let time = time(of: stamp) else {
          return .unparseable("Timestamp[\(stamp.javaText ?? "null")] is unparseable!")
        }
        let row = try transformed(InputRow(time: time, fields: fields))
        guard accepted.contains(row.time) else { continue }
        guard try spec.filter?.admits(row) ?? true else { continue }
        for metric in spec.metrics { _ = try metric.filter?.admits(row) }
        rows.append((row, fields))
      }
    } catch {
      switch error {
      case .bad(let reason): return .unparseable("Could not transform value: \(reason)")
      case .unknown(let reason): return .refused(reason)
      }
    }
    var hasError = false
    for (row, fields) in rows {
      try discover(fields, row)
      let values = Self.values(of: self.fields, in: row)
      try writer.beginRow()
      writer.set(time: spec.granularity.floor(row.time))
      for (index, dimension) in dimensions.enumerated() {
        try set(index + 1, .given(values[index + 1]), dimension, &hasError)
      }
      for (index, dimension) in discovered.enumerated() {
        let column = firstDiscovered + index
        try set(column, .given(values[column]), dimension, &hasError)
      }
      try finishRow(at: row.time, of: row, &hasError) { .given(values[$0]) }
    }
    return .rows(rows.count, withError: hasError, filtered: objects.count - rows.count)
  }

  /// The values of several names. Wide rows use a table for the lookup.
  private static func values(of names: [String], in row: InputRow) -> [FieldValue] {
    guard names.count > 16 else { return names.map { row[$0] } }
    let table = Dictionary(
      row.fields.map { ($0.key, $0.value) }, uniquingKeysWith: { one, _ in one })
    return names.map { $0 == "__time" ? .long(row.time) : table[$0] ?? .null }
  }

  /// The message's fields, with metadata for those that are missing or null.
  private static func merged(
    _ fields: [FieldValue.Member], _ envelope: [FieldValue.Member]
  ) -> [FieldValue.Member] {
    guard !envelope.isEmpty else { return fields }
    var result = fields
    for member in envelope {
      if let index = result.firstIndex(where: { $0.key == member.key }) {
        if result[index].value == .null { result[index].value = member.value }
      } else {
        result.append(member)
      }
    }
    return result
  }

  // MARK: Discovery

  /// Adds columns for new fields, and widens the types that a row's values do not fit.
  private mutating func discover(
    _ fields: [FieldValue.Member], _ row: InputRow
  ) throws(StorageFull) {
    guard spec.discovery != nil || !types.isEmpty else { return }
    let oldTypes = types
    var hasChanged = false
    var isNewlyPassed = false
    if let discovery = spec.discovery {
      for field in fields
      where !columnNames.contains(field.key) && !passedSet.contains(field.key)
        && field.key != spec.timestamp.column && !field.key.isEmpty
      {
        guard discovery.isTyped || field.value.isFlat else {
          // It becomes a column as soon as it has a plain value.
          if passed.count < Self.lineLimit, !passed.contains(field.key) {
            passed.append(field.key)
            isNewlyPassed = true
          }
          continue
        }
        guard firstDiscovered + discovered.count < Self.columnLimit else {
          leftOut += 1
          pass(field.key)
          continue
        }
        columnNames.insert(field.key)
        passed.removeAll { $0 == field.key }
        discovered.append(
          IngestionSpec.Dimension(name: field.key, kind: .string, isAutomatic: discovery.isTyped))
        if discovery.isTyped { types[firstDiscovered + discovered.count - 1] = DiscoveredType() }
        hasChanged = true
      }
    }
    for column in types.keys {
      let name =
        column < firstDiscovered
        ? dimensions[column - 1].name : discovered[column - firstDiscovered].name
      if types[column]?.admit(row[name]) ?? false { hasChanged = true }
    }
    if hasChanged {
      try changeColumns(from: oldTypes)
      nameFields()
    } else if isNewlyPassed {
      nameFields()
    }
  }

  private mutating func changeColumns(
    from oldTypes: [Int: DiscoveredType]
  ) throws(StorageFull) {
    for (column, type) in types {
      if column < firstDiscovered {
        dimensions[column - 1].kind = type.storedKind
      } else {
        discovered[column - firstDiscovered].kind = type.storedKind
      }
    }
    let types = types
    try writer.change(to: schema) { column, cell in
      guard let old = oldTypes[column], let new = types[column] else { return cell }
      return FieldValue(cell, of: old).stored(as: new.storedKind)
    }
    guard spec.isRolledUp else { return }
    let columns = keyColumns
    groups = Dictionary(
      groups.values.map { (writer.key(of: columns, at: $0), $0) },
      uniquingKeysWith: { one, _ in one })
  }

  /// The row with computed fields added. Expressions only see the message's own fields.
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
