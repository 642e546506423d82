import JavaValues

extension ScalarFunction {
  static let times: [ScalarFunction] = [
    rounding("time_floor") { $0.floor($1, origin: $2, zone: $3) },
    rounding("time_ceil") { $0.ceil($1, origin: $2, zone: $3) },
    strict("time_shift") { arguments, context throws(ValueFailure) in
      let period = try context.period(try arguments.text(1))
      let zone = try context.zone(try arguments.text(3))
      return .integer(
        period.added(to: try arguments.long(0), times: try arguments.long(2), zone: zone))
    },
    strict("time_extract") { arguments, context throws(ValueFailure) in
      let name = try arguments.text(1)
      guard let unit = TimeUnit(rawValue: name) else { throw .invalid("Unknown unit \(name)") }
      let zone = try context.zone(try arguments.text(2))
      return .integer(TimeExtract.value(unit, of: try arguments.long(0), zone: zone))
    },
    lenient("time_parse") { arguments, context throws(ValueFailure) in
      guard case .text(let text) = arguments[0], let name = arguments[2].text else { return .null }
      let zone = try context.zone(name)
      let time: Int64?
      if let pattern = arguments[1].text {
        time = try context.pattern(pattern).time(of: text, zone: zone) { context.findZone($0) }
      } else {
        time = TimeText.parse(text, zone: zone)
      }
      return time.map { .integer($0) } ?? .null
    },
    lenient("time_format") { arguments, context throws(ValueFailure) in
      guard let time = arguments[0].integer, let name = arguments[2].text else { return .null }
      let zone = try context.zone(name)
      guard let pattern = arguments[1].text else { return .text(TimeText.iso(time, zone: zone)) }
      return .text(try context.pattern(pattern).text(of: time, zone: zone))
    },
    strict("add_months") { arguments, context throws(ValueFailure) in
      var period = Period()
      period.months = 1
      let zone = try context.zone(try arguments.text(2))
      return .integer(
        period.added(to: try arguments.long(0), times: try arguments.long(1), zone: zone))
    },
    strict("months_between") { arguments, context throws(ValueFailure) in
      let zone = try context.zone(try arguments.text(2))
      return .integer(
        CivilTime.months(
          from: zone.local(try arguments.long(0)), to: zone.local(try arguments.long(1))))
    },
    strict("in_interval") { arguments, context throws(ValueFailure) in
      let text = try arguments.text(1)
      let zone = try context.zone(try arguments.text(2))
      guard let interval = TimeText.interval(text, zone: zone) else {
        throw .invalid("Invalid interval \(text)")
      }
      let time = try arguments.long(0)
      return .boolean(interval.start <= time && time < interval.end)
    },
  ]

  private static func rounding(
    _ name: String,
    _ operation: @escaping @Sendable (Period, Int64, Int64?, TimeZoneTable) -> Int64
  ) -> ScalarFunction {
    lenient(name) { arguments, context throws(ValueFailure) in
      guard let time = arguments[0].integer, let text = arguments[1].text else { return .null }
      guard let name = arguments[3].text else { return .null }
      let period = try context.period(text)
      return .integer(operation(period, time, arguments[2].integer, try context.zone(name)))
    }
  }
}
