// The commit comes from a file that 'scripts/needs.sh' writes before a release build. This is C so
// that another commit recompiles only this file.
#include "CBuild.h"

#if __has_include("commit.h")
#include "commit.h"
#else
#define CBUILD_COMMIT ""
#endif

const char *cbuild_commit(void) { return CBUILD_COMMIT; }
