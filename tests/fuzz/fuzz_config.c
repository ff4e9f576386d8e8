/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a configuration file: a configuration, or at least one problem; never a crash. */
#include "base/strbuf.h"
#include "conf/config.h"
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* libconfig 1.5 loses the buffer of a string that a syntax error cuts off. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct config_problems problems = { 0 };
	_cleanup_(freep) char *text = xcalloc(length + 1, 1);

	if (length > 0)
		memcpy(text, bytes, length);
	_cleanup_(config_freep) struct config *config = config_parse(
		"f", text, length, true, &problems);
	if ((config != NULL) != (problems.count == 0))
		abort();
	for (size_t i = 0; i < problems.count; i++) {
		if (strncmp(problems.list[i].text, "f", 1) != 0)
			abort();
	}
	config_problems_done(&problems);
	return 0;
}
