import JavaValues

extension ScalarFunction {
  static let casts: [ScalarFunction] = [
    strict("double_to_long") { arguments, _ throws(ValueFailure) in
      .integer(JavaNumber.long(try arguments.double(0)))
    },
    strict("double_to_float") { arguments, _ throws(ValueFailure) in
      .double(Double(Float(try arguments.double(0))))
    },
    strict("double_to_text") { arguments, _ throws(ValueFailure) in
      .text(JavaNumber.text(try arguments.double(0)))
    },
    strict("float_to_text") { arguments, _ throws(ValueFailure) in
      .text(JavaNumber.text(Float(try arguments.double(0))))
    },
    strict("float_print") { arguments, _ throws(ValueFailure) in
      let value = try arguments.double(0)
      let text = JavaNumber.text(value)
      guard text == JavaNumber.text(Float(value)) else {
        throw .unsupported("A FLOAT whose text depends on the way of its cast")
      }
      return .text(text)
    },
    strict("text_to_long") { arguments, _ throws(ValueFailure) in
      JavaNumber.long(try arguments.text(0)).map { .integer($0) } ?? .null
    },
    strict("text_to_double") { arguments, _ throws(ValueFailure) in
      JavaNumber.double(try arguments.text(0)).map { .double($0) } ?? .null
    },
    strict("compare_numbers") { arguments, _ throws(ValueFailure) in
      .integer(JavaNumber.compare(try arguments.text(0), try arguments.text(1)))
    },
    strict("text_to_boolean") { arguments, _ throws(ValueFailure) in
      .boolean(try arguments.text(0).lowercased() == "true")
    },
    strict("time_to_text") { arguments, context throws(ValueFailure) in
      let zone = try context.zone(try arguments.text(1))
      return .text(TimeText.sql(try arguments.long(0), zone: zone))
    },
    strict("date_to_text") { arguments, context throws(ValueFailure) in
      let zone = try context.zone(try arguments.text(1))
      return .text(TimeText.date(try arguments.long(0), zone: zone))
    },
    strict("text_to_time") { arguments, context throws(ValueFailure) in
      let zone = try context.zone(try arguments.text(1))
      return TimeText.parse(try arguments.text(0), zone: zone).map { .integer($0) } ?? .null
    },
    strict("text_to_date") { arguments, context throws(ValueFailure) in
      let zone = try context.zone(try arguments.text(1))
      guard let time = TimeText.parse(try arguments.text(0), zone: zone) else { return .null }
      return .integer(try context.period("P1D").floor(time, zone: zone))
    },
  ]
}
