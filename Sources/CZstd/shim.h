// Zstandard, for batches that their producer compressed by zstd.
#pragma once
#include <zstd.h>
