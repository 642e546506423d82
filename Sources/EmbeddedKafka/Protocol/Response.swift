/// A response: fields, with ranges of the storage file among them, which are sent without being
/// copied to this process's memory.
struct Response {
  /// A range of the storage file that follows the first `after` bytes of the fields.
  struct Piece {
    let after: Int
    var position: Int64
    var size: Int
  }

  var fields = FieldWriter()
  /// How long the connection is not read after this response, to throttle a client over its quota.
  var pause = Duration.zero
  private(set) var pieces: [Piece] = []

  /// Reserves room for the frame's length and writes the correlation id.
  init(to correlation: Int32, isFlexible: Bool = false) {
    fields.int32(0)
    fields.int32(correlation)
    fields.isFlexible = isFlexible
    fields.tags()
  }

  /// Adds `size` bytes of the file. Adjacent ranges are merged.
  mutating func append(position: Int64, size: Int) {
    let after = fields.bytes.count
    if let last = pieces.last, last.after == after, last.position + Int64(last.size) == position {
      pieces[pieces.count - 1].size += size
    } else {
      pieces.append(Piece(after: after, position: position, size: size))
    }
  }

  /// Writes the frame's length. Nothing may be added afterwards.
  mutating func seal() {
    let total = pieces.reduce(fields.bytes.count) { $0 + $1.size }
    fields.patch(Int32(clamping: total - 4), at: 0)
  }
}
