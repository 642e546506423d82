// No names of our own: see Arguments.c.
#pragma once
