// zlib, for batches that the producer compressed with gzip.
#pragma once
#include <zlib.h>
