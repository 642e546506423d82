extension EventPrinter {
  /// Appends a line that may have a changed price or quantity, or a fault.
  mutating func print(_ line: Line, into block: inout LineBlock) {
    var text = bytes(of: line)
    if line.mark.isFault { EventPrinter.spoil(&text, line) }
    text.append(UInt8(ascii: "\n"))
    precondition(text.count <= LineBlock.longestLine)
    append(text, to: &block)
  }

  /// The line without its newline.
  private func bytes(of line: Line) -> [UInt8] {
    let event = line.event
    let product = product(event.product)
    let cents = line.cents ?? product.cents
    let fraction = cents % 100
    var text = [UInt8]()
    text.reserveCapacity(256)
    text += "{\"user_id\":\(event.user),\"event_type\":\"\(event.type.name)\"".utf8
    text += ",\"country\":\(place(event.city))".utf8
    text += ",\"device\":\"\(event.device.name)\",\"product_id\":\(product.id)".utf8
    text += ",\"price\":\(cents / 100).\(fraction / 10)\(fraction % 10)".utf8
    text += ",\"quantity\":\(line.quantity),\"timestamp\":\(line.time)}".utf8
    return text
  }

  /// Damages a line as its mark says.
  private static func spoil(_ text: inout [UInt8], _ line: Line) {
    switch line.mark {
    case .cut:
      let length = 1 + Int(Draw.below(UInt32(text.count - 2), Draw.mix(line.event.state)))
      text.removeLast(text.count - length)
    case .wrongType:
      replace(&text, after: "\"price\":", until: ",", with: Array("\"n/a\"".utf8))
    case .missingField:
      replace(&text, after: "\"quantity\":\(line.quantity)", until: "}", with: [])
    case .badText:
      replace(&text, after: "\"device\":\"", until: "\"", with: [0xff, 0xfe])
    case .outOfRange:
      replace(&text, after: "\"timestamp\":", until: "}", with: Array("99999999999999999999".utf8))
    case .clean, .late, .duplicate: break
    }
  }

  private static func replace(
    _ text: inout [UInt8], after prefix: String, until stop: Character, with new: [UInt8]
  ) {
    let prefix = Array(prefix.utf8)
    guard let stop = stop.asciiValue,
      let found = (0...(text.count - prefix.count)).first(where: {
        text[$0..<$0 + prefix.count].elementsEqual(prefix)
      }), let end = text[(found + prefix.count)...].firstIndex(of: stop)
    else { return }
    text.replaceSubrange((found + prefix.count)..<end, with: new)
  }
}
