/// A Joda-Time pattern such as `yyyy-MM-dd'T'HH:mm`, used by TIME_FORMAT and TIME_PARSE.
package struct JodaPattern: Sendable, Equatable {
  enum Element: Equatable, Sendable {
    case literal(String)
    /// The letter, and how often it repeats.
    case field(Character, Int)
  }

  let elements: [Element]

  static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  static let weekdays = [
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
  ]

  /// Whether it contains the name of a zone, which needs a table of zones.
  package var namesZone: Bool {
    elements.contains {
      switch $0 {
      case .field("z", _), .field("Z", 3...): true
      default: false
      }
    }
  }

  /// - Throws: for an unknown letter, and for an empty pattern.
  package init(_ text: String) throws(ValueFailure) {
    guard !text.isEmpty else { throw .invalid("Invalid pattern specification") }
    var elements: [Element] = []
    var rest = Substring(text)
    while let character = rest.first {
      if character.isASCII, character.isLetter {
        let count = rest.prefix { $0 == character }.count
        guard "GCYxwedyDMaEhHkKmsSzZ".contains(character) else {
          throw .uncategorized("Illegal pattern component: \(rest.prefix(count))")
        }
        elements.append(.field(character, count))
        rest = rest.dropFirst(count)
      } else {
        elements.append(.literal(Self.literal(&rest)))
      }
    }
    self.elements = elements
  }

  /// The literal text up to the next letter outside quotes; `''` is a quote.
  private static func literal(_ rest: inout Substring) -> String {
    var text = ""
    var isQuoted = false
    while let character = rest.first {
      if character == "'" {
        rest = rest.dropFirst()
        if rest.first == "'" {
          text.append("'")
          rest = rest.dropFirst()
        } else {
          isQuoted.toggle()
        }
      } else if !isQuoted, character.isASCII, character.isLetter {
        break
      } else {
        text.append(character)
        rest = rest.dropFirst()
      }
    }
    return text
  }

  package func text(of time: Int64, zone: TimeZoneTable) -> String {
    let offset = zone.offset(at: time)
    let fields = CivilTime.fields(time &+ offset)
    let days = CivilTime.floorDivide(time &+ offset, CivilTime.millisecondsPerDay)
    var text = ""
    for element in elements {
      switch element {
      case .literal(let literal): text += literal
      case .field("Z", let count):
        switch count {
        case 1: text += TimeZoneTable.text(offset: offset, separator: "")
        case 2: text += TimeZoneTable.text(offset: offset)
        default: text += zone.name
        }
      case .field("z", _): text += zone.abbreviation(at: time)
      case .field(let letter, let count): text += Self.text(letter, count, fields, days)
      }
    }
    return text
  }

  private static func text(
    _ letter: Character, _ count: Int, _ fields: CivilTime.Fields, _ days: Int64
  ) -> String {
    switch letter {
    case "G": return fields.year > 0 ? "AD" : "BC"
    case "C": return number(abs(fields.year) / 100, count)
    case "Y": return year(fields.year > 0 ? fields.year : 1 - fields.year, count)
    case "y": return year(fields.year, count)
    case "x": return year(CivilTime.week(days: days).year, count)
    case "w": return number(CivilTime.week(days: days).week, count)
    case "e": return number(CivilTime.dayOfWeek(days: days), count)
    case "E":
      let name = weekdays[Int(CivilTime.dayOfWeek(days: days)) - 1]
      return count > 3 ? name : String(name.prefix(3))
    case "M":
      guard count > 2 else { return number(fields.month, count) }
      let name = months[Int(fields.month) - 1]
      return count > 3 ? name : String(name.prefix(3))
    case "D": return number(days - CivilTime.days(year: fields.year, month: 1, day: 1) + 1, count)
    case "d": return number(fields.day, count)
    case "a": return fields.hour < 12 ? "AM" : "PM"
    case "H": return number(fields.hour, count)
    case "k": return number(fields.hour == 0 ? 24 : fields.hour, count)
    case "K": return number(fields.hour % 12, count)
    case "h": return number(fields.hour % 12 == 0 ? 12 : fields.hour % 12, count)
    case "m": return number(fields.minute, count)
    case "s": return number(fields.second, count)
    default:
      let digits = TimeText.padded(fields.millisecond, 3)
      return count <= 3
        ? String(digits.prefix(count)) : digits + String(repeating: "0", count: count - 3)
    }
  }

  private static func number(_ value: Int64, _ width: Int) -> String {
    value < 0 ? "-" + TimeText.padded(-value, width) : TimeText.padded(value, width)
  }

  private static func year(_ value: Int64, _ count: Int) -> String {
    count == 2 ? TimeText.padded(abs(value) % 100, 2) : number(value, count)
  }
}
