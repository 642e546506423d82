// The command line for Swift's runtime, in the two functions by which its standard library asks for it.
//
// The runtime of Swift 6.3 on Linux reads all of /proc/self/maps before `main` to find the arguments. Where libcurl and the
// libraries that it needs are mapped, that costs a quarter of a millisecond, more than dsql's start has to spare beside curl's.
// The C library hands the arguments to every constructor. In a static link the linker takes these functions instead of the
// runtime's; with the shared runtime they are not called, and a runtime that asks by other names ignores them.

static int count;
static char **arguments;

__attribute__((constructor)) static void keep(int argc, char **argv) {
  count = argc;
  arguments = argv;
}

char **_swift_stdlib_getUnsafeArgvArgc(int *outCount) {
  *outCount = count;
  return arguments;
}

void _swift_stdlib_overrideUnsafeArgvArgc(char **argv, int argc) {
  arguments = argv;
  count = argc;
}
