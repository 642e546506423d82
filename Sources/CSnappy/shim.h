// Snappy, for batches that the producer compressed with snappy.
#pragma once
#include <snappy-c.h>
