import Plumbing

extension IngestionSpec {
  private static let supervisorType =
    "org.apache.druid.indexing.kafka.supervisor.KafkaSupervisorSpec"
  private static let dataSchemaType = "org.apache.druid.segment.indexing.DataSchema"
  private static let ioConfigType =
    "org.apache.druid.indexing.kafka.supervisor.KafkaSupervisorIOConfig"

  /// Reads a specification as for `POST /druid/indexer/v1/supervisor`.
  ///
  /// - Throws: ``SpecFailure`` when Druid would refuse it, or when it has settings that would
  ///   change the rows and are not supported.
  init(_ json: JSONValue) throws(SpecFailure) {
    let type = json["type"]?.text ?? ""
    guard type == "kafka" else {
      if json["type"] == nil {
        throw SpecFailure(
          "Could not resolve subtype of [simple type, class "
            + "org.apache.druid.indexing.overlord.supervisor.SupervisorSpec]: "
            + "missing type id property 'type'")
      }
      throw SpecFailure(
        "Please make sure to load all the necessary extensions and jars with type '\(type)' on "
          + "'druid/coordinator' service. Could not resolve type id '\(type)' as a subtype of "
          + "`org.apache.druid.indexing.overlord.supervisor.SupervisorSpec` known type ids = "
          + "[NoopSupervisorSpec, autocompact, kafka, scheduled_batch]")
    }
    // Older specs have the three parts at the top level.
    let spec = json["spec"].flatMap { $0.isNull ? nil : $0 } ?? json
    guard let schema = spec["dataSchema"], !schema.isNull else {
      throw .construct(Self.supervisorType, "dataSchema")
    }
    guard let io = spec["ioConfig"], !io.isNull else {
      throw .construct(Self.supervisorType, "ioConfig")
    }
    self.json = json
    isSuspended = json["suspended"]?.bool ?? spec["suspended"]?.bool ?? false

    guard let name = schema["dataSource"]?.text, !name.isEmpty else {
      throw .construct(Self.dataSchemaType, "dataSource cannot be null or empty.")
    }
    guard Self.isValid(dataSource: name) else {
      throw .construct(Self.dataSchemaType, "dataSource name is invalid")
    }
    dataSource = name
    try Self.allow(
      schema, "dataSchema",
      ["dataSource", "timestampSpec", "dimensionsSpec", "metricsSpec", "granularitySpec"],
      harmlessWhenEmpty: ["transformSpec", "parser", "projections"])
    timestamp = try TimestampSpec(schema["timestampSpec"])
    dimensions = try Self.dimensions(schema["dimensionsSpec"] ?? .null)
    discovery = Self.discovery(schema["dimensionsSpec"] ?? .null)
    metrics = try Self.metrics(schema["metricsSpec"] ?? .null)
    let granularity = schema["granularitySpec"] ?? .null
    try Self.allow(
      granularity, "granularitySpec",
      ["type", "segmentGranularity", "queryGranularity", "rollup", "intervals"])
    self.granularity = try QueryGranularity(
      granularity["queryGranularity"] ?? .string("NONE"), field: "queryGranularity")
    segmentGranularity = try QueryGranularity(
      granularity["segmentGranularity"] ?? .string("DAY"), field: "segmentGranularity")
    isRolledUp = granularity["rollup"]?.bool ?? true
    transforms = try Self.transforms(schema["transformSpec"])
    filter = try Self.filter(schema["transformSpec"])
    flattening = try FlattenSpec(Self.valueFormat(io)?["flattenSpec"])
    envelope = try Self.envelope(io["inputFormat"])
    if let format = Self.valueFormat(io), ["csv", "tsv"].contains(format["type"]?.text) {
      delimitedText = try DelimitedText(format, Self.formatPlace(io))
    }

    try Self.check(io: io)
    guard let topic = io["topic"]?.text ?? io["stream"]?.text else {
      throw .construct(Self.ioConfigType, "topic or topicPattern must be specified")
    }
    self.topic = topic
    acceptedTimes = try AcceptedTimes(io)
    usesEarliestOffset =
      io["useEarliestOffset"]?.bool ?? io["useEarliestSequenceNumber"]?.bool ?? false
    bootstrapServers = io["consumerProperties"]?["bootstrap.servers"]?.text

    let tuning = spec["tuningConfig"] ?? .null
    savedParseExceptions = Int(tuning["maxSavedParseExceptions"]?.integer ?? 0)
    if tuning["reportParseExceptions"]?.bool == true {
      throw .unsupported("tuningConfig.reportParseExceptions")
    }
    if let limit = tuning["maxParseExceptions"]?.integer, limit < 2_147_483_647 {
      throw .unsupported("tuningConfig.maxParseExceptions")
    }
    try checkNames()
  }

  /// Druid's rule for datasource names.
  static func isValid(dataSource name: String) -> Bool {
    !name.isEmpty && !name.contains("/") && name.trimmed == name && !name.contains("\n")
      && !name.hasPrefix(".")
  }

  private func checkNames() throws(SpecFailure) {
    var seen: Set<String> = []
    for name in dimensions.map(\.name) + metrics.map(\.name) {
      guard name != "__time", seen.insert(name).inserted else {
        throw .construct(
          Self.dataSchemaType,
          "Cannot specify a column more than once: [\(name)] seen in dimensions list or metricsSpec list"
        )
      }
    }
    guard seen.count < RowReader.columnLimit else {
      throw .unsupported("dimensionsSpec", "\(RowReader.columnLimit) columns or more")
    }
  }

  private static func dimensions(_ json: JSONValue) throws(SpecFailure) -> [Dimension] {
    try allow(
      json, "dimensionsSpec",
      ["dimensions", "dimensionExclusions", "includeAllDimensions", "useSchemaDiscovery"],
      harmlessWhenEmpty: ["spatialDimensions"])
    var dimensions: [Dimension] = []
    for element in json["dimensions"]?.elements ?? [] {
      if let name = element.text {
        dimensions.append(Dimension(name: name, kind: .string))
        continue
      }
      guard let name = element["name"]?.text else {
        throw .construct("org.apache.druid.data.input.impl.DimensionSchema", "name")
      }
      try allow(
        element, "dimensions.\(name)",
        ["type", "name", "multiValueHandling", "createBitmapIndex", "maxStringLength"])
      var dimension = Dimension(name: name, kind: .string)
      switch element["type"]?.text?.lowercased() ?? "string" {
      case "string": dimension.kind = .string
      case "long": dimension.kind = .long
      case "double": dimension.kind = .double
      case "float": dimension.kind = .float
      case "json": dimension.kind = .json
      case "auto": dimension.isAutomatic = true
      case let type: throw .unsupported("dimensions.\(name).type", "'\(type)'")
      }
      if let word = element["multiValueHandling"]?.text {
        guard let handling = Dimension.MultiValues(rawValue: word.uppercased()) else {
          throw .unsupported("dimensions.\(name).multiValueHandling", "'\(word)'")
        }
        dimension.multiValues = handling
      }
      dimensions.append(dimension)
    }
    return dimensions
  }

  /// Fields that the spec does not name become columns when it says so, or when it names none.
  private static func discovery(_ json: JSONValue) -> Discovery? {
    let isTyped = json["useSchemaDiscovery"]?.bool ?? false
    let isWanted = isTyped || json["includeAllDimensions"]?.bool ?? false
    guard isWanted || json["dimensions"]?.elements?.isEmpty ?? true else { return nil }
    return Discovery(
      isTyped: isTyped,
      exclusions: json["dimensionExclusions"]?.elements?.compactMap(\.text) ?? [])
  }

  private static func metrics(_ json: JSONValue) throws(SpecFailure) -> [Metric] {
    var metrics: [Metric] = []
    for element in json.elements ?? [] { metrics.append(try metric(element)) }
    return metrics
  }

  private static func metric(_ element: JSONValue) throws(SpecFailure) -> Metric {
    let type = element["type"]?.text ?? ""
    if type == "filtered" {
      let name = element["name"]?.text ?? element["aggregator"]?["name"]?.text ?? ""
      try allow(element, "metricsSpec.\(name)", ["type", "name", "filter", "aggregator"])
      guard let inner = element["aggregator"], let json = element["filter"] else {
        throw .construct(
          "org.apache.druid.query.aggregation.FilteredAggregatorFactory",
          "aggregator and filter are needed")
      }
      var metric = try metric(inner)
      guard let filter = RowFilter(json), metric.filter == nil else {
        throw .unsupported("metricsSpec.\(name).filter", json.jsonText)
      }
      metric.filter = filter
      if let name = element["name"]?.text { metric.name = name }
      return metric
    }
    guard let name = element["name"]?.text else {
      throw .construct(
        "org.apache.druid.query.aggregation.AggregatorFactory",
        "Must have a valid, non-null aggregator name")
    }
    if type == "count" {
      try allow(element, "metricsSpec.\(name)", ["type", "name"])
      return Metric(name: name, kind: .long, function: .count, field: "")
    }
    let kinds: [(String, ColumnKind)] = [
      ("long", .long), ("double", .double), ("float", .float), ("string", .string),
    ]
    let functions: [(String, Metric.Function)] = [
      ("Sum", .sum), ("Min", .least), ("Max", .greatest), ("First", .first), ("Last", .last),
    ]
    for (prefix, kind) in kinds {
      for (suffix, function) in functions where type == prefix + suffix {
        var metric = Metric(name: name, kind: kind, function: function, field: "")
        guard kind != .string || metric.isOfMoment else { break }
        var known = ["type", "name", "fieldName"]
        if metric.isOfMoment {
          known.append("timeColumn")
          guard ["__time", nil].contains(element["timeColumn"]?.text) else {
            throw .unsupported("metricsSpec.\(name).timeColumn")
          }
        }
        if kind == .string {
          known.append("maxStringBytes")
          guard [1024, nil].contains(element["maxStringBytes"]?.integer) else {
            throw .unsupported("metricsSpec.\(name).maxStringBytes")
          }
        }
        try allow(element, "metricsSpec.\(name)", known)
        guard let field = element["fieldName"]?.text else {
          throw .construct(
            "org.apache.druid.query.aggregation.AggregatorFactory",
            "Must have a valid, non-null fieldName or expression")
        }
        metric.field = field
        return metric
      }
    }
    throw .unsupported("metricsSpec.\(name).type", "'\(type)'")
  }

  private static func transforms(
    _ json: JSONValue?
  ) throws(SpecFailure) -> [Transform] {
    guard let json, !json.isNull else { return [] }
    try allow(json, "transformSpec", ["transforms", "filter"])
    var transforms: [Transform] = []
    for element in json["transforms"]?.elements ?? [] {
      guard let name = element["name"]?.text, let expression = element["expression"]?.text,
        element["type"]?.text == "expression"
      else { throw .unsupported("transformSpec.transforms", element.jsonText) }
      guard let parsed = Expression(expression) else {
        throw .unsupported("transformSpec.transforms.\(name)", expression)
      }
      guard !transforms.contains(where: { $0.name == name }) else {
        throw .construct(
          "org.apache.druid.segment.transform.TransformSpec",
          "Transform name '\(name)' cannot be used twice")
      }
      transforms.append(Transform(name: name, expression: parsed))
    }
    return transforms
  }

  private static func filter(_ json: JSONValue?) throws(SpecFailure) -> RowFilter? {
    guard let filter = json?["filter"], !filter.isNull else { return nil }
    guard let parsed = RowFilter(filter) else {
      throw .unsupported("transformSpec.filter", filter.jsonText)
    }
    return parsed
  }

  private static func check(io: JSONValue) throws(SpecFailure) {
    for field in ["topicPattern", "configOverrides"] {
      if let value = io[field], !value.isNull { throw .unsupported("ioConfig.\(field)") }
    }
    guard let format = io["inputFormat"], !format.isNull else {
      throw .construct(
        "org.apache.druid.indexing.kafka.supervisor.KafkaSupervisorIOConfig", "inputFormat")
    }
    let place = formatPlace(io)
    guard let format = valueFormat(io), !format.isNull else {
      throw .construct(
        "org.apache.druid.data.input.kafkainput.KafkaInputFormat", "valueFormat must not be null")
    }
    let type = format["type"]?.text ?? ""
    guard ["json", "csv", "tsv"].contains(type) else {
      throw .unsupported("\(place).type", "'\(type)'")
    }
    if let features = format["featureSpec"]?.members, !features.isEmpty {
      throw .unsupported("\(place).featureSpec")
    }
    for flag in ["assumeNewlineDelimited", "useJsonNodeReader"] {
      if format[flag]?.bool == true { throw .unsupported("\(place).\(flag)") }
    }
  }

  private static func formatPlace(_ io: JSONValue) -> String {
    io["inputFormat"]?["type"]?.text == "kafka"
      ? "ioConfig.inputFormat.valueFormat" : "ioConfig.inputFormat"
  }

  /// The format of a message's value.
  private static func valueFormat(_ io: JSONValue) -> JSONValue? {
    let format = io["inputFormat"]
    return format?["type"]?.text == "kafka" ? format?["valueFormat"] : format
  }

  private static func envelope(_ format: JSONValue?) throws(SpecFailure) -> Envelope? {
    guard let format, format["type"]?.text == "kafka" else { return nil }
    let place = "ioConfig.inputFormat"
    for member in format.members ?? [] {
      switch member.key {
      case "type", "valueFormat", "timestampColumnName", "topicColumnName", "headerFormat",
        "headerColumnPrefix", "keyFormat", "keyColumnName":
        break
      default:
        guard member.value.isNull else { throw .unsupported("\(place).\(member.key)") }
      }
    }
    var envelope = Envelope()
    if let name = format["timestampColumnName"]?.text { envelope.timestampColumn = name }
    if let name = format["topicColumnName"]?.text { envelope.topicColumn = name }
    if let prefix = format["headerColumnPrefix"]?.text { envelope.headerPrefix = prefix }
    if let name = format["keyColumnName"]?.text { envelope.keyColumn = name }
    if let headers = format["headerFormat"], !headers.isNull {
      let encoding = headers["encoding"]?.text?.uppercased() ?? "UTF-8"
      guard headers["type"]?.text == "string", ["UTF-8", "US-ASCII"].contains(encoding) else {
        throw .unsupported("\(place).headerFormat", headers.jsonText)
      }
      envelope.readsHeaders = true
    }
    if let key = format["keyFormat"], !key.isNull {
      switch key["type"]?.text {
      case "json": envelope.keyFormat = .json
      case "csv", "tsv":
        envelope.keyFormat = .delimited(try DelimitedText(key, "\(place).keyFormat"))
      default: throw .unsupported("\(place).keyFormat.type", key.jsonText)
      }
    }
    return envelope
  }

  /// Refuses every member that is not in `known`. Members of the second list are allowed if they
  /// have no effect.
  private static func allow(
    _ json: JSONValue, _ place: String, _ known: [String], harmlessWhenEmpty: [String] = []
  ) throws(SpecFailure) {
    for member in json.members ?? [] where !known.contains(member.key) {
      let isEmpty =
        switch member.value {
        case .null, .bool(false), .array([]), .object([]): true
        default: member.key == "transformSpec"
        }
      guard harmlessWhenEmpty.contains(member.key), isEmpty else {
        throw .unsupported("\(place).\(member.key)")
      }
    }
  }
}

extension FlattenSpec {
  init(_ json: JSONValue?) throws(SpecFailure) {
    let place = "ioConfig.inputFormat.flattenSpec"
    guard let json, !json.isNull else { return }
    for member in json.members ?? [] where !["useFieldDiscovery", "fields"].contains(member.key) {
      throw .unsupported("\(place).\(member.key)")
    }
    discoversFields = json["useFieldDiscovery"]?.bool ?? true
    for element in json["fields"]?.elements ?? [] {
      if let name = element.text {
        fields.append((name, FieldPath(keys: [name])))
        continue
      }
      guard let name = element["name"]?.text else { throw .unsupported(place, element.jsonText) }
      let expression = element["expr"]?.text
      let path: FieldPath? =
        switch element["type"]?.text {
        case "root": FieldPath(keys: [expression ?? name])
        case "path": expression.flatMap { FieldPath(jsonPath: $0) }
        case "tree": element["nodes"]?.elements.map { FieldPath(keys: $0.compactMap(\.text)) }
        default: nil
        }
      guard let path else { throw .unsupported("\(place).fields.\(name)", element.jsonText) }
      guard !fields.contains(where: { $0.name == name }) else {
        throw .construct(
          "org.apache.druid.java.util.common.parsers.JSONPathSpec",
          "Cannot have duplicate field definition: \(name)")
      }
      fields.append((name, path))
    }
  }
}

extension String {
  fileprivate var trimmed: String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
