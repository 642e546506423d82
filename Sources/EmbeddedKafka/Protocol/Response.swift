/// A response on its way out: fields, with pieces of the storage file between them that never pass
/// through this process's memory.
struct Response {
  /// Bytes of the storage file that belong behind the first `after` bytes of the fields.
  struct Piece {
    let after: Int
    var position: Int64
    var size: Int
  }

  var fields = FieldWriter()
  /// How long the connection is not read after this: a client over its quota is held back.
  var pause = Duration.zero
  private(set) var pieces: [Piece] = []

  /// Starts with room for the frame's length and the request's number.
  init(to correlation: Int32, isFlexible: Bool = false) {
    fields.int32(0)
    fields.int32(correlation)
    fields.isFlexible = isFlexible
    fields.tags()
  }

  /// Adds `size` bytes of the file; neighbours become one piece.
  mutating func append(position: Int64, size: Int) {
    let after = fields.bytes.count
    if let last = pieces.last, last.after == after, last.position + Int64(last.size) == position {
      pieces[pieces.count - 1].size += size
    } else {
      pieces.append(Piece(after: after, position: position, size: size))
    }
  }

  /// Writes the frame's length in its place; nothing may be added afterwards.
  mutating func seal() {
    let total = pieces.reduce(fields.bytes.count) { $0 + $1.size }
    fields.patch(Int32(clamping: total - 4), at: 0)
  }
}
