/// A visitor's action: views a product, puts it into the cart, buys it.
enum EventType: UInt8, CaseIterable, Sendable {
  case view, click, purchase

  var name: String {
    switch self {
    case .view: "view"
    case .click: "click"
    case .purchase: "purchase"
    }
  }
}

enum Device: UInt8, CaseIterable, Sendable {
  case mobile, desktop, tablet

  var name: String {
    switch self {
    case .mobile: "mobile"
    case .desktop: "desktop"
    case .tablet: "tablet"
    }
  }
}

/// An event, with everything that is needed to compute the next event of the same session.
///
/// Events wait in the ring of seconds, so the size is kept at 24 bytes.
struct Event: Equatable, Sendable {
  /// The session's generator after this event.
  var state: UInt64
  /// The id that is printed.
  var user: UInt32
  /// The index of the product in the catalogue.
  var product: UInt32
  /// City and device: `city * 4 + device`.
  var origin: UInt16
  /// The number of earlier events of the session.
  var step: UInt16
  /// The maximum remaining length of the session, in seconds.
  var secondsLeft: UInt16
  var typeCode: UInt8
  var quantity: UInt8

  var city: Int { Int(origin >> 2) }
  var device: Device { Device(rawValue: UInt8(origin & 3)) ?? .mobile }
  var type: EventType { EventType(rawValue: typeCode) ?? .view }

  /// A number that is equal for all events of a session and different for any two sessions.
  var session: UInt64 { state &- UInt64(step) &* Draw.golden }

  static func origin(city: Int, device: Device) -> UInt16 {
    UInt16(city << 2) | UInt16(device.rawValue)
  }
}
