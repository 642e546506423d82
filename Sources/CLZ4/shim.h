// The LZ4 frame format, for batches that the producer compressed with lz4.
#pragma once
#include <lz4.h>
#include <lz4frame.h>
