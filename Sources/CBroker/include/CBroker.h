// What the embedded broker needs C for: a checksum by the processor's own instruction, and the
// system calls that Swift's Glibc module leaves out.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>

/// The CRC-32C (Castagnoli) of `length` bytes. Every byte that is produced goes through it, and Swift
/// can't compile one function for SSE 4.2 and choose it at run time; tables take several times as long.
uint32_t cbk_crc32c(const void *bytes, size_t length);

/// The same by tables alone: what processors without the instruction get, and what tests compare with.
uint32_t cbk_crc32c_portable(const void *bytes, size_t length);

/// Opens a file without a name in `directory`; -1 and errno when that can't be.
int cbk_open_unnamed(const char *directory);

/// Gives a part of a file back to the disk; reads find zeros there. 0, or -1 and errno.
int cbk_punch_hole(int file, int64_t position, int64_t size);

/// The next client of a listening socket, closed when another program is executed; -1 and errno.
int cbk_accept(int listener);

/// The event of poll() that says the other end of a socket is gone.
int16_t cbk_poll_hung_up(void);
