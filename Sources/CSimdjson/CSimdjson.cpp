// simdjson's on-demand parser behind a C interface. No exception leaves this file.
#include "CSimdjson.h"

#include <simdjson.h>

#include <cstring>
#include <new>
#include <string_view>

using namespace simdjson;

struct csj_parser {
  ondemand::parser parser;
};

csj_parser *csj_new(void) { return new (std::nothrow) csj_parser; }

void csj_free(csj_parser *parser) { delete parser; }

namespace {

struct Search {
  const char *const *names;
  const size_t *lengths;
  const size_t *parts;
  size_t count;
  csj_value *values;
  /// Where the line ends.
  const char *end;
  /// Whether there is a backslash anywhere in the line; else every key is its text.
  bool has_escapes;
};

/// Whether the key that begins at `raw`, behind its opening quote, is this name as it stands.
bool is_key(const char *raw, const char *name, size_t length, const char *end) {
  return size_t(end - raw) > length && raw[length] == '"' && std::memcmp(raw, name, length) == 0;
}

error_code take(ondemand::value value, csj_value &out) {
  ondemand::json_type type;
  SIMDJSON_TRY(value.type().get(type));
  switch (type) {
    case ondemand::json_type::string: {
      std::string_view text;
      SIMDJSON_TRY(value.get_string().get(text));
      out = {CSJ_STRING, text.data(), text.size()};
      return SUCCESS;
    }
    case ondemand::json_type::number: {
      // Reading the number validates it; the token is its bytes as written.
      std::string_view token = value.raw_json_token();
      while (!token.empty() && (token.back() == ' ' || token.back() == '\t' || token.back() == '\r' || token.back() == '\n')) {
        token.remove_suffix(1);
      }
      out = {CSJ_NUMBER, token.data(), token.size()};
      ondemand::number number;
      const error_code error = value.get_number().get(number);
      // An integer beyond 64 bits is still a number as written.
      if (error == NUMBER_ERROR || error == INCORRECT_TYPE) {
        double wide;
        return value.get_double().get(wide);
      }
      return error;
    }
    case ondemand::json_type::boolean: {
      bool truth;
      SIMDJSON_TRY(value.get_bool().get(truth));
      out = truth ? csj_value{CSJ_TRUE, "true", 4} : csj_value{CSJ_FALSE, "false", 5};
      return SUCCESS;
    }
    case ondemand::json_type::null:
      if (!value.is_null()) return N_ATOM_ERROR;
      out = {CSJ_NULL, "null", 4};
      return SUCCESS;
    case ondemand::json_type::object: {
      ondemand::object object;
      SIMDJSON_TRY(value.get_object().get(object));
      std::string_view json;
      SIMDJSON_TRY(object.raw_json().get(json));
      out = {CSJ_OBJECT, json.data(), json.size()};
      return SUCCESS;
    }
    default: {
      ondemand::array array;
      SIMDJSON_TRY(value.get_array().get(array));
      std::string_view json;
      SIMDJSON_TRY(array.raw_json().get(json));
      out = {CSJ_ARRAY, json.data(), json.size()};
      return SUCCESS;
    }
  }
}

/// Walks one object to its end. `open` tells which paths lead here (their first `depth` parts match).
error_code walk(ondemand::object object, const Search &search, uint64_t open, size_t depth) {
  for (auto field : object) {
    ondemand::raw_json_string raw;
    SIMDJSON_TRY(field.key().get(raw));
    std::string_view key;
    if (search.has_escapes) SIMDJSON_TRY(field.unescaped_key().get(key));
    ondemand::value value;
    SIMDJSON_TRY(field.value().get(value));
    uint64_t ends = 0, leads = 0;
    const char *const *names = search.names;
    const size_t *lengths = search.lengths;
    for (size_t i = 0; i < search.count; i++) {
      if ((open >> i & 1) != 0 &&
          (search.has_escapes ? key == std::string_view(names[depth], lengths[depth])
                              : is_key(raw.raw(), names[depth], lengths[depth], search.end))) {
        (search.parts[i] == depth + 1 ? ends : leads) |= uint64_t(1) << i;
      }
      names += search.parts[i];
      lengths += search.parts[i];
    }
    if ((ends | leads) == 0) continue;  // the iterator skips the value
    ondemand::json_type type;
    SIMDJSON_TRY(value.type().get(type));
    for (size_t i = 0; i < search.count; i++) {
      if (((ends | leads) >> i & 1) != 0) search.values[i] = {CSJ_ABSENT, nullptr, 0};
    }
    if (leads != 0 && type == ondemand::json_type::object) {
      for (size_t i = 0; i < search.count; i++) {
        if ((ends >> i & 1) != 0) search.values[i] = {CSJ_OBJECT, nullptr, 0};
      }
      ondemand::object inner;
      SIMDJSON_TRY(value.get_object().get(inner));
      SIMDJSON_TRY(walk(inner, search, leads, depth + 1));
    } else if (ends != 0) {
      csj_value found;
      SIMDJSON_TRY(take(value, found));
      for (size_t i = 0; i < search.count; i++) {
        if ((ends >> i & 1) != 0) search.values[i] = found;
      }
    }
  }
  return SUCCESS;
}

}  // namespace

int32_t csj_find(
    csj_parser *parser, const char *line, size_t length, const char *const *names,
    const size_t *lengths, const size_t *parts, size_t count, csj_value *values, size_t *offset) {
  for (size_t i = 0; i < count; i++) values[i] = {CSJ_ABSENT, nullptr, 0};
  *offset = 0;
  if (count > 64) return UNEXPECTED_ERROR;
  ondemand::document document;
  error_code error =
      parser->parser.iterate(line, length, length + SIMDJSON_PADDING).get(document);
  if (error == SUCCESS) {
    ondemand::object object;
    error = document.get_object().get(object);
    if (error == SUCCESS) {
      const Search search{names, lengths, parts, count, values, line + length,
                          std::memchr(line, '\\', length) != nullptr};
      const uint64_t all = count == 64 ? ~uint64_t(0) : (uint64_t(1) << count) - 1;
      error = walk(object, search, all, 0);
    }
    const char *end = nullptr;
    if (error == SUCCESS && document.current_location().get(end) != OUT_OF_BOUNDS) {
      error = TRAILING_CONTENT;
    }
    if (error != SUCCESS) {
      const char *place = nullptr;
      if (document.current_location().get(place) == SUCCESS && place >= line && place <= line + length) {
        *offset = size_t(place - line);
      } else {
        *offset = length;
      }
    }
  }
  return error;
}

const char *csj_error_message(int32_t error) { return error_message(error_code(error)); }
