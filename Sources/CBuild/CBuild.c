// The commit comes from a file that 'scripts/needs.sh' writes before a release build. It is C rather than Swift so that
// another commit compiles this file alone.
#include "CBuild.h"

#if __has_include("commit.h")
#include "commit.h"
#else
#define CBUILD_COMMIT ""
#endif

const char *cbuild_commit(void) { return CBUILD_COMMIT; }
