/// A line to print that may differ from the clean event it is made from.
struct Line {
  /// The deliberate fault of a line.
  enum Mark: UInt8 {
    case clean, late, duplicate
    case cut, wrongType, missingField, badText, outOfRange

    static let faults: [Mark] = [.cut, .wrongType, .missingField, .badText, .outOfRange]

    /// The name in labels.
    var name: String {
      switch self {
      case .clean: "clean"
      case .late: "late"
      case .duplicate: "duplicate"
      case .cut: "cut"
      case .wrongType: "wrong type"
      case .missingField: "missing field"
      case .badText: "bad UTF-8"
      case .outOfRange: "out of range"
      }
    }

    var isFault: Bool { rawValue >= Mark.cut.rawValue }
  }

  var event: Event
  /// The timestamp.
  var time: Int64
  /// When it is printed within its second, in units of 2^-32.
  var position: UInt32
  var quantity: UInt32
  /// The price in cents; `nil`: the catalogue's.
  var cents: UInt32?
  var mark = Mark.clean
  /// The delay after its own second, in seconds.
  var delay: Int64 = 0

  /// The second in which it is printed.
  var due: Int64 { time + delay }

  init(_ event: Event, time: Int64, position: UInt32) {
    self.event = event
    self.time = time
    self.position = position
    quantity = UInt32(event.quantity)
  }
}
