// Information about the build.
#pragma once

/// The commit that the sources were built from, in hexadecimal, followed by `+` when files had
/// changes; empty when unknown.
const char *cbuild_commit(void);
