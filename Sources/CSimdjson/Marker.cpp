// Marks alone, for those who know their grammar. No exception leaves this file.
#include "Marker.h"

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
