// JSON's rules for the content of one token.
#pragma once
#include <cctype>
#include <cstring>

#include "CSimdjson.h"

inline bool isSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
inline bool isDigit(char c) { return c >= '0' && c <= '9'; }

/// Whether all escapes between the quotes are valid JSON escapes.
inline bool hasGoodEscapes(const char *from, const char *to) {
  for (; from < to; from++) {
    if (*from != '\\') continue;
    from++;
    if (*from == 'u') {
      for (int i = 0; i < 4; i++) {
        if (!std::isxdigit(static_cast<unsigned char>(*++from))) return false;
      }
    } else if (*from == 0 || std::strchr("\"\\/bfnrt", *from) == nullptr) {
      return false;
    }
  }
  return true;
}

/// The end of the digits that begin here, no further than `limit`. It takes eight bytes at a time, so seven bytes after the
/// limit must be readable.
inline const char *endOfDigits(const char *from, const char *limit) {
  while (from < limit) {
    uint64_t bytes;
    std::memcpy(&bytes, from, sizeof bytes);
    // Each digit becomes 0 to 9; the sum sets the highest bit of every other byte. A carry only reaches bytes after the
    // first of those, which don't count.
    bytes ^= 0x3030303030303030;
    const uint64_t others = ((bytes + 0x7676767676767676) | bytes) & 0x8080808080808080;
    if (others != 0) {
      from += __builtin_ctzll(others) >> 3;
      break;
    }
    from += sizeof bytes;
  }
  return from < limit ? from : limit;
}

/// Whether the text from here to `limit` is a whole number without a sign; endOfDigits's bytes must be readable.
inline bool isWholeNumber(const char *from, const char *limit) {
  return endOfDigits(from, limit) == limit && (*from != '0' || from + 1 == limit);
}

/// The end of the number that begins here, or `nullptr` when it is not a valid JSON number.
inline const char *endOfNumber(const char *from, const char *limit) {
  if (*from == '-' && ++from == limit) return nullptr;
  if (!isDigit(*from)) return nullptr;
  from = *from == '0' ? from + 1 : endOfDigits(from, limit);
  if (from < limit && *from == '.') {
    if (++from == limit || !isDigit(*from)) return nullptr;
    from = endOfDigits(from, limit);
  }
  if (from < limit && (*from == 'e' || *from == 'E')) {
    if (++from < limit && (*from == '+' || *from == '-')) from++;
    if (from == limit || !isDigit(*from)) return nullptr;
    from = endOfDigits(from, limit);
  }
  return from;
}
