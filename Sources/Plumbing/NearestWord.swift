/// The hint for a word that is not known: the candidate that is spelled most like it; `nil` when none
/// is near.
///
/// - Parameter prefix: what stands before a candidate where it is typed, such as `--`.
package func didYouMean(
  _ word: String, among candidates: [String], prefix: String = ""
) -> String? {
  nearestWord(to: word, in: candidates).map { "did you mean \(quoted(prefix + $0))?" }
}

/// The candidate that needs the fewest edits to become `word`; `nil` when all need too many for its
/// length.
func nearestWord(to word: String, in candidates: [String]) -> String? {
  guard word.utf8.count <= 64 else { return nil }
  let ranked = candidates.map { (word: $0, distance: editDistance(word, $0)) }
  guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
  let isPrefix = word.count >= 3 && best.word.hasPrefix(word)
  return isPrefix || best.distance <= max(1, word.count / 3)
    ? best.word : candidates.first { word.count >= 3 && $0.hasPrefix(word) }
}

/// Damerau-Levenshtein distance in its restricted form: insert, delete, replace, swap neighbours.
private func editDistance(_ a: String, _ b: String) -> Int {
  let a = Array(a.utf8)
  let b = Array(b.utf8)
  var beforeLast = [Int](repeating: 0, count: b.count + 1)
  var last = Array(0...b.count)
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      var cost = min(
        min(last[j + 1] + 1, row[j] + 1), last[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
        cost = min(cost, beforeLast[j - 1] + 1)
      }
      row.append(cost)
    }
    beforeLast = last
    last = row
  }
  return last[b.count]
}
