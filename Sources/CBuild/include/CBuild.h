// What a build knows about itself.
#pragma once

/// The commit that the sources were built from, in hexadecimal, with a `+` behind it when files were changed since;
/// empty when the build was not told.
const char *cbuild_commit(void);
