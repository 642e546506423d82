// C functions for simdjson.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Bytes that must be readable after the text of a line; their content is ignored.
#define CSIMDJSON_PADDING 64

/// The kind of a value. `CSJ_ABSENT`: the object has no such key.
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

/// A value: the bytes as written for numbers, objects and arrays, the decoded text for strings. The
/// bytes belong to the line; those of a string with escapes belong to the parser and are valid
/// until the next call.
struct csj_value {
  int32_t kind;
  const char *bytes;
  size_t length;
};

typedef struct csj_parser csj_parser;

/// The error of a line that is valid JSON, but has half a surrogate pair (`\ud800` to `\udfff`) in a
/// string that is asked for: such a string has no UTF-8.
#define CSJ_HALF_SURROGATE (-1)

/// Makes a parser that looks up `count` names, at most 64; `NULL` when out of memory. A name may be
/// a path: its parts follow each other in `names`, `parts[i]` of them for the i-th path, and every
/// part but the last must name an object. The names must outlive the parser, and seven readable bytes must follow each.
csj_parser *csj_new(const char *const *names, const size_t *lengths, const size_t *parts, size_t count);
void csj_free(csj_parser *parser);

/// Announces that the next calls of `csj_find` take the lines of this text in order, each ended by
/// a newline, so that many lines can be marked at once. Lines from elsewhere are still accepted.
/// The text must not change until the next call of this function; `NULL` ends the block.
void csj_block(csj_parser *parser, const char *text, size_t length);

/// Looks the names up in the object that `line` holds, in any order of keys; `csj_values` then has
/// their values. The last of several equal keys wins, as in most parsers.
/// Returns 0, or simdjson's error code or `CSJ_HALF_SURROGATE`, with `*offset` set to its position
/// (bytes from the line's start).
/// The whole line is validated as one JSON object with nothing after it. Half a surrogate pair is
/// accepted in text that is not asked for.
int32_t csj_find(csj_parser *parser, const char *line, size_t length, size_t *offset);

/// The values of the names, in their order, after the last `csj_find`.
const struct csj_value *csj_values(const csj_parser *parser);

/// How many fields of the object had names that were not asked for, after the last `csj_find`. Only
/// for parsers of two or more names; a parser of one name counts none.
size_t csj_others(const csj_parser *parser);

/// Marks where tokens begin. `csj_marker_new` returns `NULL` when out of memory.
typedef struct csj_marker csj_marker;
csj_marker *csj_marker_new(void);
void csj_marker_free(csj_marker *marker);

/// Marks the tokens of a text that may hold many values: each bracket, comma and colon outside of
/// strings, the opening quote of each string, and the first byte of each other run without space.
/// `NULL` when the text is not valid UTF-8, a string is unclosed or holds a control character,
/// there is no memory, or the text has no tokens.
/// The marks belong to the marker until its next call; `*count` is their number.
const uint32_t *csj_mark(csj_marker *marker, const char *text, size_t length, size_t *count);

/// The version of the simdjson headers at compile time; the library has no function for its
/// version.
const char *csj_version(void);

/// The description of an error of `csj_find`.
const char *csj_error_message(int32_t error);

#ifdef __cplusplus
}
#endif
