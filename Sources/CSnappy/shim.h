// Snappy, for batches that their producer compressed by snappy.
#pragma once
#include <snappy-c.h>
