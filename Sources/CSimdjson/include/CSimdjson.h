// simdjson behind a handful of C functions. The project's C++ stands beside it.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Bytes that must be readable (their content is ignored) behind the text of a line.
#define CSIMDJSON_PADDING 64

/// What a value of a JSON object is. `CSJ_ABSENT`: the object has no such key.
enum csj_kind {
  CSJ_ABSENT = 0,
  CSJ_NULL = 1,
  CSJ_FALSE = 2,
  CSJ_TRUE = 3,
  CSJ_NUMBER = 4,
  CSJ_STRING = 5,
  CSJ_OBJECT = 6,
  CSJ_ARRAY = 7,
};

/// A value: for numbers, objects and arrays its bytes as written; for strings the decoded text.
/// The bytes belong to the line; those of a string with escapes to the parser, until the next call.
struct csj_value {
  int32_t kind;
  const char *bytes;
  size_t length;
};

typedef struct csj_parser csj_parser;

/// Makes a parser that looks `count` names up, at most 64; `NULL` when there is no memory. A name may be a path: its parts
/// follow each other in `names`, `parts[i]` of them for the i-th, and every part but the last must be an object. The names
/// must live as long as the parser.
csj_parser *csj_new(const char *const *names, const size_t *lengths, const size_t *parts, size_t count);
void csj_free(csj_parser *parser);

/// Says that the lines of the next `csj_find`s are those of this text, in their order, and each ends with a newline: then
/// many are looked at in one go. Lines from elsewhere are still taken. The text must stay as it is until the next call of
/// this; `NULL` forgets it.
void csj_block(csj_parser *parser, const char *text, size_t length);

/// Looks the names up in the object that `line` holds, in any order of keys; then `csj_values` has what they stand for.
/// The last of several equal keys wins, as most readers have it.
/// 0 when all went well; otherwise simdjson's error, and `*offset` (bytes from the line's start) where it stood.
/// The whole line is validated as one JSON object with nothing behind it. Half a surrogate is let pass where nobody asks
/// for its text.
int32_t csj_find(csj_parser *parser, const char *line, size_t length, size_t *offset);

/// What the names of the last `csj_find` stand for, in their order.
const struct csj_value *csj_values(const csj_parser *parser);

/// How many fields of the object that the last `csj_find` read have names that were not asked for. Meant for parsers of at
/// least two names; one of a single name counts none.
size_t csj_others(const csj_parser *parser);

/// What marks where tokens begin; `NULL` when there is no memory.
typedef struct csj_marker csj_marker;
csj_marker *csj_marker_new(void);
void csj_marker_free(csj_marker *marker);

/// Marks the tokens of a text that may hold many values: each bracket, comma and colon outside of strings, the opening
/// quote of each string, and the first byte of each other run without space. `NULL` when the text is no UTF-8, a string is
/// left open or holds a control character, or there is no memory; and for a text without tokens.
/// The marks are the marker's until its next call; `*count` tells how many there are.
const uint32_t *csj_mark(csj_marker *marker, const char *text, size_t length, size_t *count);

/// The version of simdjson that this was compiled against; its library has no function that tells.
const char *csj_version(void);

/// The words for an error of `csj_find`.
const char *csj_error_message(int32_t error);

#ifdef __cplusplus
}
#endif
