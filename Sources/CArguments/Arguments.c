// The command line for Swift's runtime, in the two functions by which its standard library asks for it.
//
// Its own way (Swift 6.3, on Linux) is to read all of /proc/self/maps before `main`, which costs a quarter of a
// millisecond where libcurl and what it needs are mapped. The C library hands the same words to a constructor. In a static
// link the linker takes these functions instead of the runtime's; with the shared runtime they are not called.
#include "CArguments.h"

static int count;
static char **words;

__attribute__((constructor)) static void keep(int argc, char **argv) {
  count = argc;
  words = argv;
}

char **_swift_stdlib_getUnsafeArgvArgc(int *outCount) {
  *outCount = count;
  return words;
}

void _swift_stdlib_overrideUnsafeArgvArgc(char **argv, int argc) {
  words = argv;
  count = argc;
}
