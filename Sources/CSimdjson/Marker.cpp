// Token marks alone, for readers with their own grammar. No exception leaves this file.
#include "Marker.h"

#include <string>

#include <new>

#include "CSimdjson.h"

csj_marker *csj_marker_new(void) { return new (std::nothrow) csj_marker; }

void csj_marker_free(csj_marker *marker) { delete marker; }

const uint32_t *csj_mark(csj_marker *marker, const char *text, size_t length, size_t *count) {
  *count = 0;
  if (length == 0 || marker->mark(text, length) != simdjson::SUCCESS) return nullptr;
  *count = marker->stage->n_structural_indexes;
  return marker->marks();
}

const char *csj_version(void) {
  // Composed from the numbers: the version's text is a string in some releases of simdjson and bare
  // words in others.
  static const std::string text = std::to_string(simdjson::SIMDJSON_VERSION_MAJOR) + "." +
                                  std::to_string(simdjson::SIMDJSON_VERSION_MINOR) + "." +
                                  std::to_string(simdjson::SIMDJSON_VERSION_REVISION);
  return text.c_str();
}
