/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/name.h"

static bool name_character(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

bool name_valid(const char *text, size_t length)
{
	if (length < 1 || length > NAME_MAX_BYTES || text[0] == '.')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!name_character(text[i]))
			return false;
	return true;
}
