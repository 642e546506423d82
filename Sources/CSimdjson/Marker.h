// simdjson's first stage: where the tokens of a text begin.
#pragma once
#include <simdjson.h>

#include <memory>

/// Marks texts; the marks are those of the last text.
struct csj_marker {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;

  /// Marks a text of at least one byte; checks its UTF-8, closed strings and the characters in
  /// them.
  simdjson::error_code mark(const char *text, size_t length) {
    using namespace simdjson;
    if (!stage || stage->capacity() < length) {
      SIMDJSON_TRY(get_active_implementation()->create_dom_parser_implementation(
          length < 4096 ? 4096 : length * 2, depthLimit, stage));
    }
    return stage->stage1(
        reinterpret_cast<const uint8_t *>(text), length, stage1_mode::regular);
  }

  const uint32_t *marks() const { return stage->structural_indexes.get(); }

  /// The maximum nesting depth of objects and arrays.
  static constexpr size_t depthLimit = 1024;
};
