/// Why devstack's Druid could not start.
package enum EmbeddedDruidFailure: Error, Equatable {
  case port(UInt16, reason: String)
  case storage(reason: String)
  case supervisor(reason: String)
  case consumer(reason: String)
}
