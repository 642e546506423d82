// Zstandard, for batches that the producer compressed with zstd.
#pragma once
#include <zstd.h>
