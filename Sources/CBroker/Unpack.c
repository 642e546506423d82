#include "CBroker.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// The codecs are loaded when the first batch that needs one is searched: librdkafka depends on all
// three, so they are there, and neither a build nor a start pays for what is hardly ever asked. So the
// few functions are declared here, by interfaces that have not changed for a decade.

/// A function of a library, or NULL.
static void *function(const char *library, const char *name) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  return handle ? dlsym(handle, name) : NULL;
}

/// Bytes that grow as they come, up to a limit.
struct sink {
  uint8_t *bytes;
  size_t count, room, limit;
};

/// Makes room for more; 0 when there may be no more or there is no memory.
static size_t room(struct sink *sink) {
  if (sink->count == sink->room) {
    size_t wanted = sink->room ? sink->room * 2 : 64 << 10;
    if (wanted > sink->limit) wanted = sink->limit;
    if (wanted == sink->room) return 0;
    uint8_t *bytes = realloc(sink->bytes, wanted);
    if (!bytes) return 0;
    sink->bytes = bytes;
    sink->room = wanted;
  }
  return sink->room - sink->count;
}

/// zlib's `z_stream`.
struct deflated {
  const uint8_t *next_in;
  unsigned avail_in;
  unsigned long total_in;
  uint8_t *next_out;
  unsigned avail_out;
  unsigned long total_out;
  const char *message;
  void *state, *allocate, *free, *opaque;
  int data_type;
  unsigned long adler, reserved;
};

static int unpack_gzip(const uint8_t *in, size_t size, struct sink *sink) {
  const char *library = "libz.so.1";
  int (*begin)(struct deflated *, int, const char *, int) = function(library, "inflateInit2_");
  int (*inflate)(struct deflated *, int) = function(library, "inflate");
  int (*reset)(struct deflated *) = function(library, "inflateReset");
  int (*end)(struct deflated *) = function(library, "inflateEnd");
  if (!begin || !inflate || !reset || !end) return -1;
  struct deflated stream = {.next_in = in, .avail_in = (unsigned)size};
  // 32 and more: gzip or zlib, as the first bytes say.
  if (begin(&stream, 15 + 32, "1.2.11", sizeof stream) != 0) return -1;
  const int ended = 1;
  int state = 0;
  while (state == 0) {
    size_t left = room(sink);
    if (left == 0) break;
    stream.next_out = sink->bytes + sink->count;
    stream.avail_out = (unsigned)left;
    state = inflate(&stream, 0);
    sink->count += left - stream.avail_out;
    if (state == ended && stream.avail_in > 0) state = reset(&stream);
  }
  end(&stream);
  return state == ended ? 0 : -1;
}

static int unpack_lz4(const uint8_t *in, size_t size, struct sink *sink) {
  const char *library = "liblz4.so.1";
  size_t (*create)(void **, unsigned) = function(library, "LZ4F_createDecompressionContext");
  size_t (*decompress)(void *, void *, size_t *, const void *, size_t *, const void *) =
      function(library, "LZ4F_decompress");
  size_t (*discard)(void *) = function(library, "LZ4F_freeDecompressionContext");
  unsigned (*is_error)(size_t) = function(library, "LZ4F_isError");
  void *context = NULL;
  if (!create || !decompress || !discard || !is_error || is_error(create(&context, 100))) return -1;
  size_t hint = 1;
  while (hint != 0) {
    size_t made = room(sink), taken = size;
    if (made == 0) break;
    hint = decompress(context, sink->bytes + sink->count, &made, in, &taken, NULL);
    if (is_error(hint) || (made == 0 && taken == 0)) {
      hint = 1;
      break;
    }
    sink->count += made;
    in += taken;
    size -= taken;
  }
  discard(context);
  return hint == 0 ? 0 : -1;
}

/// zstd's buffers: `ZSTD_inBuffer` and `ZSTD_outBuffer`.
struct zstd_in {
  const void *bytes;
  size_t size, position;
};

struct zstd_out {
  void *bytes;
  size_t size, position;
};

static int unpack_zstd(const uint8_t *in, size_t size, struct sink *sink) {
  const char *library = "libzstd.so.1";
  void *(*create)(void) = function(library, "ZSTD_createDStream");
  size_t (*decompress)(void *, struct zstd_out *, struct zstd_in *) =
      function(library, "ZSTD_decompressStream");
  size_t (*discard)(void *) = function(library, "ZSTD_freeDStream");
  unsigned (*is_error)(size_t) = function(library, "ZSTD_isError");
  if (!create || !decompress || !discard || !is_error) return -1;
  void *stream = create();
  if (!stream) return -1;
  struct zstd_in from = {in, size, 0};
  size_t hint = 1;
  while (hint != 0 || from.position < from.size) {
    size_t left = room(sink);
    if (left == 0) {
      hint = 1;
      break;
    }
    struct zstd_out to = {sink->bytes + sink->count, left, 0};
    size_t before = from.position;
    hint = decompress(stream, &to, &from);
    if (is_error(hint) || (to.position == 0 && from.position == before)) {
      hint = 1;
      break;
    }
    sink->count += to.position;
  }
  discard(stream);
  return hint == 0 ? 0 : -1;
}

/// One block of Snappy's format: the size, then literals and copies of what came before. The library
/// for it is C++ and would be loaded for these lines alone.
static int unpack_snappy_block(const uint8_t *in, size_t size, struct sink *sink) {
  const uint8_t *end = in + size;
  uint64_t total = 0;
  for (int shift = 0;; shift += 7) {
    if (in == end || shift > 28) return -1;
    total |= (uint64_t)(*in & 0x7F) << shift;
    if (!(*in++ & 0x80)) break;
  }
  size_t start = sink->count;
  if (total > sink->limit - start) return -1;
  while (sink->room < start + total) {
    size_t kept = sink->count;
    sink->count = sink->room;
    size_t left = room(sink);
    sink->count = kept;
    if (left == 0) return -1;
  }
  while (in < end) {
    uint8_t tag = *in++;
    size_t left = start + total - sink->count;
    if ((tag & 3) == 0) {
      size_t length = tag >> 2;
      if (length >= 60) {
        size_t width = length - 59;
        if ((size_t)(end - in) < width) return -1;
        length = 0;
        for (size_t index = 0; index < width; index++) length |= (size_t)*in++ << (8 * index);
      }
      length++;
      if (length > (size_t)(end - in) || length > left) return -1;
      memcpy(sink->bytes + sink->count, in, length);
      sink->count += length;
      in += length;
      continue;
    }
    size_t width = (tag & 3) == 1 ? 1 : (tag & 3) == 2 ? 2 : 4;
    if ((size_t)(end - in) < width) return -1;
    size_t length = (tag & 3) == 1 ? 4 + (tag >> 2 & 7) : 1 + (tag >> 2);
    size_t distance = 0;
    for (size_t index = 0; index < width; index++) distance |= (size_t)*in++ << (8 * index);
    if ((tag & 3) == 1) distance |= (size_t)(tag >> 5) << 8;
    if (distance == 0 || distance > sink->count - start || length > left) return -1;
    // Byte by byte: source and destination may overlap, and then repeat.
    for (; length > 0; length--, sink->count++) {
      sink->bytes[sink->count] = sink->bytes[sink->count - distance];
    }
  }
  return sink->count == start + total ? 0 : -1;
}

static int unpack_snappy(const uint8_t *in, size_t size, struct sink *sink) {
  // The Java client's frame around blocks: a magic word, two versions, then sizes and blocks.
  static const uint8_t magic[] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
  if (size < 16 || memcmp(in, magic, sizeof magic) != 0) return unpack_snappy_block(in, size, sink);
  const uint8_t *end = in + size;
  in += 16;
  while (end - in >= 4) {
    size_t block = (size_t)in[0] << 24 | (size_t)in[1] << 16 | (size_t)in[2] << 8 | in[3];
    in += 4;
    if (block > (size_t)(end - in) || unpack_snappy_block(in, block, sink) != 0) return -1;
    in += block;
  }
  return in == end ? 0 : -1;
}

int cbk_unpack(int codec, const void *in, size_t size, size_t limit, cbk_unpacked *unpacked) {
  struct sink sink = {.limit = limit};
  int outcome = -1;
  switch (codec) {
    case 1: outcome = unpack_gzip(in, size, &sink); break;
    case 2: outcome = unpack_snappy(in, size, &sink); break;
    case 3: outcome = unpack_lz4(in, size, &sink); break;
    case 4: outcome = unpack_zstd(in, size, &sink); break;
  }
  if (outcome != 0) {
    free(sink.bytes);
    return -1;
  }
  unpacked->bytes = sink.bytes;
  unpacked->count = sink.count;
  return 0;
}

void cbk_discard(cbk_unpacked unpacked) { free(unpacked.bytes); }
