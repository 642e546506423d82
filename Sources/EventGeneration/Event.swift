/// What a visitor does: looks at a product, puts it into the cart, buys it.
package enum EventType: UInt8, CaseIterable, Sendable {
  case view, click, purchase

  package var name: String {
    switch self {
    case .view: "view"
    case .click: "click"
    case .purchase: "purchase"
    }
  }
}

package enum Device: UInt8, CaseIterable, Sendable {
  case mobile, desktop, tablet

  package var name: String {
    switch self {
    case .mobile: "mobile"
    case .desktop: "desktop"
    case .tablet: "tablet"
    }
  }
}

/// One event and, in it, all that is needed to find the next event of the same session.
///
/// It is what waits in the ring of seconds, so it is kept at 24 bytes.
package struct Event: Equatable, Sendable {
  /// The session's generator as this event left it.
  var state: UInt64
  /// The id that is printed.
  package var user: UInt32
  /// The product's place in the catalogue, from 0.
  package var product: UInt32
  /// City and device in one: `city * 4 + device`.
  var origin: UInt16
  /// How many events of the session came before this one.
  var step: UInt16
  /// How long the session may still last.
  var secondsLeft: UInt16
  var typeCode: UInt8
  package var quantity: UInt8

  package var city: Int { Int(origin >> 2) }
  package var device: Device { Device(rawValue: UInt8(origin & 3)) ?? .mobile }
  package var type: EventType { EventType(rawValue: typeCode) ?? .view }

  /// The same for every event of a session, and different for any two sessions.
  var session: UInt64 { state &- UInt64(step) &* Draw.golden }

  static func origin(city: Int, device: Device) -> UInt16 {
    UInt16(city << 2) | UInt16(device.rawValue)
  }
}
