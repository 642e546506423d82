// simdjson's first stage: where the tokens of a text begin.
#pragma once
#include <simdjson.h>

#include <memory>

/// What marks texts; its marks are those of the last one.
struct csj_marker {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;

  /// Marks a text of at least one byte, which has its UTF-8, its closed strings and what may stand in them made sure of.
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

  /// How deep objects and arrays may be nested.
  static constexpr size_t depthLimit = 1024;
};
