/// What is computed for the selected rows of a chunk.
class ChunkNode {
  private var stamp = -1

  /// Computes the rows, unless they are already computed.
  final func evaluate(_ rows: SelectedRows) throws {
    guard rows.stamp != stamp else { return }
    try compute(rows)
    stamp = rows.stamp
  }

  func compute(_ rows: SelectedRows) throws {}
}
