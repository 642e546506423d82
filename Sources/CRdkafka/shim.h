// librdkafka's C interface, and its mock cluster for tests; the C library's settings for the memory that it takes.
#pragma once
#include <malloc.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
