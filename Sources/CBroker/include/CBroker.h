// C functions for the embedded broker: a checksum by the processor's own instruction, and system
// calls that Swift's Glibc module lacks.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>

/// The CRC-32C (Castagnoli) of `length` bytes. Every produced byte is checked by it. Swift can't
/// compile one function for SSE 4.2 and choose it at run time, and tables take several times as
/// long.
uint32_t cbk_crc32c(const void *bytes, size_t length);

/// The same by tables alone, for processors without the instruction and for tests to compare with.
uint32_t cbk_crc32c_portable(const void *bytes, size_t length);

/// Frees a part of a file on disk; reads of it return zeros. 0, or -1 and errno.
int cbk_punch_hole(int file, int64_t position, int64_t size);

/// Accepts the next client of a listening socket, with close-on-exec; -1 and errno on failure.
int cbk_accept(int listener);

/// The poll() event for a peer that closed its socket.
int16_t cbk_poll_hung_up(void);
