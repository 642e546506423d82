import Druid
import Plumbing

/// Writes rows that dsql itself produces, in the format of an answer.
///
/// - Parameter rows: a value for each column.
func write(
  _ rows: [[JSONValue]], columns: [Column], format: FormatOptions, output: any AnswerOutput
) throws {
  let header: [JSONValue] = [
    .array(columns.map { .string($0.name) }), .array(columns.map { .string($0.nativeType) }),
    .array(columns.map { .string($0.sqlType) }),
  ]
  let lines = header + rows.map { .array($0) }
  let body = lines.map { $0.jsonText + "\n" }.joined() + "\n"
  var block = ByteBlock(capacity: body.utf8.count)
  block.append(body)
  try Druid.format(block.bytes, with: AnswerFormatter(format), output: output)
}
