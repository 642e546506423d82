// zlib, for batches that their producer compressed by gzip.
#pragma once
#include <zlib.h>
