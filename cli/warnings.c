/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/warnings.h"

#define QUOTED_BYTES_MAX 80

void warnings_print(const struct session *session, const struct reading *reading, size_t line)
{
	for (size_t i = 0; i < reading->warnings_count; i++) {
		const struct reading_warning *warning = &reading->warnings[i];
		char where[32] = "";
		if (line > 0)
			snprintf(where, sizeof(where), "dòng %zu: ", line);
		if (warning->to - warning->from > QUOTED_BYTES_MAX)
			complain(session, "%schú ý: %s", where, warning->detail);
		else
			complain(session, "%schú ý: “%s”: %s", where, warning->text,
				warning->detail);
	}
}
