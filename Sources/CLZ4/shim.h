// The LZ4 frame format, for batches that their producer compressed by lz4.
#pragma once
#include <lz4frame.h>
