// Finds fields of a JSON object by walking over the tokens of simdjson's first stage. No exception
// leaves this file.
//
// simdjson marks where each token begins, and checks UTF-8, closed strings and control characters
// in strings. The rest of the grammar is checked here, token by token, in a tenth of the time of
// its on-demand parser for a few fields of a flat line. A string can't contain a newline, so a
// whole block of lines can be marked at once: if that succeeds, every newline is outside of strings
// and each line has the same tokens as on its own.
#include "CSimdjson.h"

#include <cstring>
#include <memory>
#include <new>

#include "Grammar.h"
#include "Marker.h"

using namespace simdjson;

namespace {

/// Number of bytes that are marked at once: their marks fit the processor's nearer caches.
const size_t windowSize = 32768;
const size_t depthLimit = csj_marker::depthLimit;

/// simdjson's own string decoder. It is internal, and takes a third argument since release 3.1:
/// whether to replace half a surrogate. The compiler picks the form that the header has.
template <typename Implementation>
auto parseString(Implementation &implementation, const uint8_t *from, uint8_t *to, int)
    -> decltype(implementation.parse_string(from, to, false)) {
  return implementation.parse_string(from, to, false);
}

template <typename Implementation>
auto parseString(Implementation &implementation, const uint8_t *from, uint8_t *to, long)
    -> decltype(implementation.parse_string(from, to)) {
  return implementation.parse_string(from, to);
}

/// Whether two texts are the same; seven bytes after each must be readable. Names are short, and a call of `memcmp` takes
/// longer than the comparison.
simdjson_inline bool isSame(const char *a, const char *b, size_t length) {
  uint64_t difference = 0;
  size_t done = 0;
  for (; done < length; done += 8) {
    uint64_t x, y;
    std::memcpy(&x, a + done, 8);
    std::memcpy(&y, b + done, 8);
    difference = x ^ y;
    if (length - done <= 8) break;
    if (difference != 0) return false;
  }
  return done >= length || difference << (8 * (8 - (length - done))) == 0;
}

}  // namespace

struct csj_parser {
  /// The names to find, and the slots for their values.
  const char *const *names;
  const size_t *lengths;
  const size_t *parts;
  size_t count;
  std::unique_ptr<csj_value[]> values;
  /// Whether all paths are different names of the outermost object.
  bool isFlat = false;
  /// For each path, the path whose name followed it in the line before. The lines of a stream
  /// mostly have the same key order.
  uint8_t following[65] = {};
  /// Marks single lines, and blocks of lines.
  csj_marker lineMarker, blockMarker;
  /// The rest of the block that `csj_block` announced.
  const char *block = nullptr, *blockEnd = nullptr;
  /// The current window of the block, whether it could be marked, and the next mark.
  const char *window = nullptr, *windowEnd = nullptr;
  bool isMarked = false;
  size_t next = 0;
  /// The first backslash of the window at or after the current line.
  const char *backslash = nullptr;
  /// Decoded strings of the current line.
  std::unique_ptr<uint8_t[]> text;
  size_t textCapacity = 0, textUsed = 0;
  /// The number of fields in the line's outermost object that were not asked for.
  size_t others = 0;

  bool reserveText(size_t size) {
    textUsed = 0;
    if (size <= textCapacity) return true;
    text.reset(new (std::nothrow) uint8_t[size]);
    textCapacity = text ? size : 0;
    return text != nullptr;
  }
};

namespace {

/// Marks the window of the block that begins with `line`; `isMarked` then tells whether that
/// succeeded.
void openWindow(csj_parser &parser, const char *line, size_t length) {
  parser.window = line;
  parser.windowEnd = line + length;
  parser.isMarked = false;
  parser.next = 0;
  const size_t left = size_t(parser.blockEnd - line);
  if (left > length) {
    // Up to the last newline in reach.
    const size_t reach = left < windowSize ? left : windowSize;
    const void *last = memrchr(line, '\n', reach);
    if (last != nullptr && static_cast<const char *>(last) > parser.windowEnd) {
      parser.windowEnd = static_cast<const char *>(last);
    }
  }
  const size_t size = size_t(parser.windowEnd - line);
  parser.isMarked = parser.blockMarker.mark(line, size) == SUCCESS;
  parser.backslash = static_cast<const char *>(std::memchr(line, '\\', size));
}

/// Whether the window's line contains a backslash; lines are asked for in order.
bool hasBackslash(csj_parser &parser, const char *line, const char *end) {
  if (parser.backslash != nullptr && parser.backslash < line) {
    parser.backslash =
        static_cast<const char *>(std::memchr(line, '\\', size_t(parser.windowEnd - line)));
  }
  return parser.backslash != nullptr && parser.backslash < end;
}

using Token = const uint32_t *;

/// One line and its tokens. A mark gives the offset of a token. The last mark is followed by the
/// length of the marked text, so a token always has a successor; a mark at or above `limit` is
/// outside of the line.
///
/// Each step takes its first token and returns the token after its last, or `nullptr` after
/// ``fail``.
struct Walk {
  csj_parser &parser;
  const internal::dom_parser_implementation &marker;
  const char *base;
  uint32_t limit;
  /// Whether the line contains a backslash; if not, every string is its own text.
  bool hasEscapes;
  int32_t error = SUCCESS;
  /// The offset at which the walk failed.
  uint32_t place = 0;
  /// A string that was asked for and has half a surrogate pair. The line fails when all of it is JSON.
  Token half = nullptr;

  Token fail(Token token, int32_t code) {
    error = code;
    place = *token < limit ? *token : limit;
    return nullptr;
  }

  bool is(Token token, char c) const { return *token < limit && base[*token] == c; }

  /// The end of the token before this one: only space is between them.
  const char *endBefore(Token token) const {
    const char *end = base + (*token < limit ? *token : limit);
    while (isSpace(end[-1])) end--;
    return end;
  }

  bool isWord(Token token, const char *word, size_t length) const {
    const char *from = base + *token;
    return std::memcmp(from, word, length) == 0 && endBefore(token + 1) == from + length;
  }

  /// Skips and checks a value of any kind. The token must exist.
  simdjson_inline Token skip(Token token, size_t depth) {
    const char *from = base + *token;
    const char first = *from;
    if (first == '"') {
      if (!hasEscapes || hasGoodEscapes(from + 1, endBefore(token + 1) - 1)) return token + 1;
      return fail(token, STRING_ERROR);
    }
    if (isDigit(first) || first == '-') {
      // A number ends at the next token, or at space before it.
      const char *stop = base + (token[1] < limit ? token[1] : limit);
      if (isWholeNumber(from, stop)) return token + 1;
      const char *end = endOfNumber(from, stop);
      if (end == stop || (end != nullptr && end == endBefore(token + 1))) return token + 1;
      return fail(token, NUMBER_ERROR);
    }
    return skipOther(token, depth);
  }

  Token skipOther(Token token, size_t depth) {
    switch (base[*token]) {
      case '{':
        return depth < depthLimit ? walk(token + 1, 0, 0, depth + 1) : fail(token, DEPTH_ERROR);
      case '[':
        return depth < depthLimit ? skipArray(token + 1, depth + 1) : fail(token, DEPTH_ERROR);
      case 't': return isWord(token, "true", 4) ? token + 1 : fail(token, T_ATOM_ERROR);
      case 'f': return isWord(token, "false", 5) ? token + 1 : fail(token, F_ATOM_ERROR);
      case 'n': return isWord(token, "null", 4) ? token + 1 : fail(token, N_ATOM_ERROR);
      default: return fail(token, TAPE_ERROR);
    }
  }

  Token skipArray(Token token, size_t depth) {
    if (is(token, ']')) return token + 1;
    while (true) {
      if (*token >= limit) return fail(token, INCOMPLETE_ARRAY_OR_OBJECT);
      token = skip(token, depth);
      if (token == nullptr) return nullptr;
      if (is(token, ']')) return token + 1;
      if (!is(token, ',')) return fail(token, TAPE_ERROR);
      token++;
    }
  }

  /// Decodes the string after a quote into the parser's buffer.
  bool decode(const char *&text, size_t &length) {
    uint8_t *room = parser.text.get() + parser.textUsed;
    uint8_t *stop = parseString(marker, reinterpret_cast<const uint8_t *>(text), room, 0);
    if (stop == nullptr) return false;
    text = reinterpret_cast<const char *>(room);
    length = size_t(stop - room);
    parser.textUsed += length;
    return true;
  }

  /// Reads a value.
  Token read(Token token, csj_value &out, size_t depth) {
    const Token next = skip(token, depth);
    if (next == nullptr) return nullptr;
    const char *from = base + *token;
    out = {CSJ_NUMBER, from, size_t(endBefore(next) - from)};
    switch (*from) {
      case '"':
        out = {CSJ_STRING, from + 1, out.length - 2};
        if (hasEscapes && std::memchr(out.bytes, '\\', out.length) != nullptr &&
            !decode(out.bytes, out.length)) {
          half = token;
        }
        break;
      case '{': out.kind = CSJ_OBJECT; break;
      case '[': out.kind = CSJ_ARRAY; break;
      case 't': out.kind = CSJ_TRUE; break;
      case 'f': out.kind = CSJ_FALSE; break;
      case 'n': out.kind = CSJ_NULL; break;
      default: break;
    }
    return next;
  }

  /// Whether the key at `token`, which a colon follows, is this name; for lines without escapes.
  simdjson_inline bool isKey(Token token, const char *name, size_t length) const {
    // The key ends at the first quote, which is before the colon.
    const char *key = base + token[0] + 1;
    return token[0] + 1 + length < token[1] && key[length] == '"' && isSame(key, name, length);
  }

  /// Which of the open paths continue with the key at `token`; false when its escapes are not valid
  /// JSON.
  bool match(Token token, uint64_t open, size_t part, uint64_t &ends, uint64_t &leads) {
    const char *key = base + *token + 1;
    size_t length = 0;
    if (hasEscapes) {
      length = size_t(endBefore(token + 1) - key) - 1;
      if (std::memchr(key, '\\', length) != nullptr) {
        if (!hasGoodEscapes(key, key + length)) return false;
        // A key that is not valid text, such as half a surrogate, matches no name.
        if (!decode(key, length)) return true;
      }
    }
    const char *const *names = parser.names;
    const size_t *lengths = parser.lengths;
    for (size_t i = 0; i < parser.count; i++) {
      if ((open >> i & 1) != 0 &&
          (hasEscapes ? lengths[part] == length && std::memcmp(key, names[part], length) == 0
                      : isKey(token, names[part], lengths[part]))) {
        (parser.parts[i] == part + 1 ? ends : leads) |= uint64_t(1) << i;
      }
      names += parser.parts[i];
      lengths += parser.parts[i];
    }
    return true;
  }

  /// Reads a value that one or more paths end at or lead through.
  Token readMatched(Token token, uint64_t ends, uint64_t leads, size_t part, size_t depth) {
    for (size_t i = 0; i < parser.count; i++) {
      if (((ends | leads) >> i & 1) != 0) parser.values[i] = {CSJ_ABSENT, nullptr, 0};
    }
    csj_value found = {CSJ_ABSENT, nullptr, 0};
    const char *from = base + *token;
    if (leads != 0 && *from == '{') {
      if (depth >= depthLimit) return fail(token, DEPTH_ERROR);
      token = walk(token + 1, leads, part + 1, depth + 1);
      if (token != nullptr) found = {CSJ_OBJECT, from, size_t(endBefore(token) - from)};
    } else {
      token = ends != 0 ? read(token, found, depth) : skip(token, depth);
    }
    for (size_t i = 0; i < parser.count; i++) {
      if ((ends >> i & 1) != 0) parser.values[i] = found;
    }
    return token;
  }

  /// Walks an object, after its brace, to its end. `open` tells which paths lead here with their
  /// first `part` parts.
  Token walk(Token token, uint64_t open, size_t part, size_t depth) {
    if (is(token, '}')) return token + 1;
    if (parser.isFlat && depth == 1 && !hasEscapes) return walkFlat(token);
    // The common case: one path, and a line without escapes.
    if (parser.count == 1 && open == 1 && !hasEscapes) return walkSimply(token, part, depth);
    while (true) {
      if (!isField(token)) return failField(token);
      uint64_t ends = 0, leads = 0;
      if ((open != 0 || hasEscapes) && !match(token, open, part, ends, leads)) {
        return fail(token, STRING_ERROR);
      }
      if ((ends | leads) == 0) {
        if (depth == 1) parser.others++;
        token = skip(token + 2, depth);
      } else {
        token = readMatched(token + 2, ends, leads, part, depth);
      }
      if (token == nullptr) return nullptr;
      if (!is(token, ',')) return is(token, '}') ? token + 1 : fail(token, TAPE_ERROR);
      token++;
    }
  }

  /// Whether a key, its colon and the beginning of a value follow.
  simdjson_inline bool isField(Token token) const {
    // Marks ascend up to the one that ends the text.
    return token[1] < limit && token[2] < limit && base[token[0]] == '"' && base[token[1]] == ':';
  }

  Token failField(Token token) {
    if (!is(token, '"')) return fail(token, TAPE_ERROR);
    return is(token + 1, ':') ? fail(token + 2, INCOMPLETE_ARRAY_OR_OBJECT) : fail(token + 1, TAPE_ERROR);
  }

  /// The same for one path and no escapes: strings need no decoding.
  Token walkSimply(Token token, size_t part, size_t depth) {
    const char *const name = parser.names[part];
    const size_t length = parser.lengths[part];
    const bool isEnd = parser.parts[0] == part + 1;
    while (true) {
      if (!isField(token)) return failField(token);
      if (isKey(token, name, length)) {
        token = isEnd ? read(token + 2, parser.values[0], depth)
                      : readMatched(token + 2, 0, 1, part, depth);
        if (token == nullptr) return nullptr;
      } else if (base[token[2]] == '"') {
        token += 3;
      } else {
        token = skip(token + 2, depth);
        if (token == nullptr) return nullptr;
      }
      if (!is(token, ',')) return is(token, '}') ? token + 1 : fail(token, TAPE_ERROR);
      token++;
    }
  }

  /// The same for names of the outermost object and no escapes: tries first the key that came next
  /// in the line before.
  Token walkFlat(Token token) {
    const size_t count = parser.count;
    size_t last = count;
    while (true) {
      if (!isField(token)) return failField(token);
      size_t found = parser.following[last];
      if (!isKey(token, parser.names[found], parser.lengths[found])) {
        for (found = 0; found < count; found++) {
          if (isKey(token, parser.names[found], parser.lengths[found])) break;
        }
      }
      if (found == count) {
        parser.others++;
        token = skip(token + 2, 1);
      } else {
        token = read(token + 2, parser.values[found], 1);
        parser.following[last] = uint8_t(found);
        last = found;
      }
      if (token == nullptr) return nullptr;
      if (!is(token, ',')) return is(token, '}') ? token + 1 : fail(token, TAPE_ERROR);
      token++;
    }
  }

  /// Walks the whole line.
  Token run(Token token) {
    if (!is(token, '{')) return fail(token, INCORRECT_TYPE);
    const uint64_t all = parser.count == 64 ? ~uint64_t(0) : (uint64_t(1) << parser.count) - 1;
    token = walk(token + 1, all, 0, 1);
    if (token != nullptr && *token < limit) return fail(token, TRAILING_CONTENT);
    return token != nullptr && half != nullptr ? fail(half, CSJ_HALF_SURROGATE) : token;
  }
};

}  // namespace

csj_parser *csj_new(
    const char *const *names, const size_t *lengths, const size_t *parts, size_t count) {
  if (count > 64) return nullptr;
  std::unique_ptr<csj_parser> parser(new (std::nothrow) csj_parser);
  if (!parser) return nullptr;
  parser->names = names;
  parser->lengths = lengths;
  parser->parts = parts;
  parser->count = count;
  parser->values.reset(new (std::nothrow) csj_value[count + 1]);
  parser->isFlat = count > 1;
  for (size_t i = 0; i < count && parser->isFlat; i++) {
    if (parts[i] != 1) {
      parser->isFlat = false;
      break;
    }
    for (size_t j = 0; j < i; j++) {
      if (lengths[i] == lengths[j] && std::memcmp(names[i], names[j], lengths[i]) == 0) {
        parser->isFlat = false;
      }
    }
  }
  return parser->values ? parser.release() : nullptr;
}

void csj_free(csj_parser *parser) { delete parser; }

void csj_block(csj_parser *parser, const char *text, size_t length) {
  parser->block = text;
  parser->blockEnd = text == nullptr ? nullptr : text + length;
  parser->window = parser->windowEnd = nullptr;
}

const csj_value *csj_values(const csj_parser *parser) { return parser->values.get(); }

size_t csj_others(const csj_parser *parser) { return parser->others; }

int32_t csj_find(csj_parser *parser, const char *line, size_t length, size_t *offset) {
  for (size_t i = 0; i < parser->count; i++) parser->values[i] = {CSJ_ABSENT, nullptr, 0};
  *offset = 0;
  parser->others = 0;
  if (length == 0) return EMPTY;
  const char *const end = line + length;
  const bool isInBlock = line >= parser->block && end <= parser->blockEnd;
  if (isInBlock && (line < parser->window || line >= parser->windowEnd)) {
    openWindow(*parser, line, length);
  }
  const bool isMarked = isInBlock && parser->isMarked && end <= parser->windowEnd;
  if (!isMarked) {
    if (const error_code error = parser->lineMarker.mark(line, length)) return error;
  }
  const csj_marker &marker = isMarked ? parser->blockMarker : parser->lineMarker;
  const uint32_t *const marks = marker.marks();
  const char *const base = isMarked ? parser->window : line;
  const uint32_t *token = isMarked ? marks + parser->next : marks;
  // Skip the marks of a line that was left in its middle, or go back to those of a line that is read again.
  while (base + *token < line) token++;
  while (token > marks && base + token[-1] >= line) token--;
  const bool hasEscapes = isMarked ? hasBackslash(*parser, line, end)
                                   : std::memchr(line, '\\', length) != nullptr;
  if (hasEscapes && !parser->reserveText(length + 2 * SIMDJSON_PADDING)) return MEMALLOC;
  Walk walk{*parser, *marker.stage, base, uint32_t(end - base), hasEscapes};
  token = walk.run(token);
  if (isMarked) {
    // After an error, the next line searches its own beginning.
    if (token != nullptr) parser->next = size_t(token - marks);
  }
  if (token == nullptr) *offset = size_t(base + walk.place - line);
  return walk.error;
}

const char *csj_error_message(int32_t error) {
  return error == CSJ_HALF_SURROGATE ? "half a surrogate pair" : error_message(error_code(error));
}
