// libedit: line editing and history, loaded when a prompt opens.
#pragma once
#include <histedit.h>
