#define _GNU_SOURCE
#include "CBroker.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

int cbk_punch_hole(int file, int64_t position, int64_t size) {
  return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, position, size);
}

int cbk_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC); }

int16_t cbk_poll_hung_up(void) { return POLLRDHUP; }

/// tables[k][b]: the remainder of byte b followed by k zero bytes. Filled before main starts.
static uint32_t tables[8][256];

__attribute__((constructor)) static void fill_tables(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; bit++) {
      remainder = (remainder >> 1) ^ (remainder & 1 ? 0x82F63B78u : 0);
    }
    tables[0][byte] = remainder;
  }
  for (int k = 1; k < 8; k++) {
    for (int byte = 0; byte < 256; byte++) {
      uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
}

uint32_t cbk_crc32c_portable(const void *bytes, size_t length) {
  const uint8_t *next = bytes;
  uint32_t crc = 0xFFFFFFFFu;
  for (; length >= 8; length -= 8, next += 8) {
    crc ^= next[0] | (uint32_t)next[1] << 8 | (uint32_t)next[2] << 16 | (uint32_t)next[3] << 24;
    crc = tables[7][crc & 0xFF] ^ tables[6][crc >> 8 & 0xFF] ^ tables[5][crc >> 16 & 0xFF] ^
          tables[4][crc >> 24] ^ tables[3][next[4]] ^ tables[2][next[5]] ^ tables[1][next[6]] ^
          tables[0][next[7]];
  }
  for (; length > 0; length--, next++) {
    crc = (crc >> 8) ^ tables[0][(crc ^ *next) & 0xFF];
  }
  return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t by_instruction(const void *bytes, size_t length) {
  const uint8_t *next = bytes;
  uint64_t crc = 0xFFFFFFFFu;
  for (; length >= 8; length -= 8, next += 8) {
    uint64_t word;
    memcpy(&word, next, sizeof word);
    crc = _mm_crc32_u64(crc, word);
  }
  for (; length > 0; length--, next++) {
    crc = _mm_crc32_u8((uint32_t)crc, *next);
  }
  return ~(uint32_t)crc;
}

uint32_t cbk_crc32c(const void *bytes, size_t length) {
  return __builtin_cpu_supports("sse4.2") ? by_instruction(bytes, length)
                                          : cbk_crc32c_portable(bytes, length);
}
#else
uint32_t cbk_crc32c(const void *bytes, size_t length) { return cbk_crc32c_portable(bytes, length); }
#endif
