// JSON's rules for the content of one token.
#pragma once
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

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

/// The end of the number that begins here, or `nullptr` when it is not a valid JSON number.
inline const char *endOfNumber(const char *from, const char *limit) {
  if (*from == '-' && ++from == limit) return nullptr;
  if (!isDigit(*from)) return nullptr;
  if (*from == '0') {
    from++;
  } else {
    while (from < limit && isDigit(*from)) from++;
  }
  if (from < limit && *from == '.') {
    if (++from == limit || !isDigit(*from)) return nullptr;
    while (from < limit && isDigit(*from)) from++;
  }
  if (from < limit && (*from == 'e' || *from == 'E')) {
    if (++from < limit && (*from == '+' || *from == '-')) from++;
    if (from == limit || !isDigit(*from)) return nullptr;
    while (from < limit && isDigit(*from)) from++;
  }
  return from;
}

/// Whether a number is too large for a double, which takes an exponent or very many digits.
inline bool isBeyondDoubles(const csj_value &number) {
  const bool isPlain = number.length < 300 &&
                       std::memchr(number.bytes, 'e', number.length) == nullptr &&
                       std::memchr(number.bytes, 'E', number.length) == nullptr;
  return !isPlain &&
         std::isinf(std::strtod(std::string(number.bytes, number.length).c_str(), nullptr));
}
