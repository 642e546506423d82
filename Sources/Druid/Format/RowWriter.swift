package import Plumbing

/// Writes rows that dsql itself produces, in the format of an answer.
///
/// - Parameter rows: a value for each column.
package func write(
  _ rows: [[JSONValue]], columns: [Column], format: FormatOptions, output: any AnswerOutput
) throws {
  let header: [JSONValue] = [
    .array(columns.map { .string($0.name) }), .array(columns.map { .string($0.nativeType) }),
    .array(columns.map { .string($0.sqlType) }),
  ]
  let lines = header + rows.map { .array($0) }
  let body = lines.map { $0.jsonText + "\n" }.joined() + "\n"
  let sink = FormattingSink(format, output: output)
  var block = ByteBlock(capacity: body.utf8.count)
  block.append(body)
  try sink.takeRows(block.bytes)
  _ = try sink.finish(isWhole: true)
  try output.flush()
}
