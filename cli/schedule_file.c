/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/schedule_file.h"

#include "cli/input.h"
#include "cli/warnings.h"
#include <errno.h>
#include <string.h>

/* One byte more than a node takes, so that what is too large is told as such. */
static char *read_file(const char *path, size_t *ret_length, struct error *error)
{
	if (strcmp(path, "-") == 0)
		return input_text(path, SCHEDULE_PAYLOAD_MAX, ret_length, error);
	_cleanup_(freep) char *bytes = xcalloc(SCHEDULE_PAYLOAD_MAX + 2, 1);
	_cleanup_(fclosep) FILE *file = fopen(path, "re");
	size_t length = file ? fread(bytes, 1, SCHEDULE_PAYLOAD_MAX + 1, file) : 0;
	if (!file || ferror(file)) {
		(void)error_set(error, -errno, "không đọc được tệp: %s", strerror(errno));
		return NULL;
	}
	*ret_length = length;
	return hand_over(bytes);
}

struct schedule_defaults schedule_file_defaults(const struct session *session, struct zones *zones)
{
	return (struct schedule_defaults){ .zones = zones,
		.timezone = session->config->timezone,
		.late_us = session->config->late_us };
}

struct schedule *schedule_file_read(
	const struct session *session, struct zones *zones, const char *path, struct error *error)
{
	const struct schedule_defaults defaults = schedule_file_defaults(session, zones);
	struct schedule *schedule = NULL;
	char id[ID_MAX_BYTES + 1];
	enum reason reason;
	size_t length = 0;
	_cleanup_(freep) char *bytes = read_file(path, &length, error);

	if (bytes)
		schedule = schedule_parse(bytes, length, NULL, &defaults, id, &reason, error);
	if (!schedule)
		error_prefix(error, "%s", strcmp(path, "-") == 0 ? "đầu vào" : path);
	return schedule;
}

int schedule_file_check(const struct session *session, const struct schedule *schedule,
	size_t *ret_doubtful, struct error *error)
{
	const struct announcement *announcement = schedule->announcement;
	const struct reading_config how = config_reading(session->config,
		announcement->voice_engine, announcement->voice_name, announcement->voice_rate);
	size_t doubtful = 0;

	for (size_t i = 0; i < announcement->parts_count; i++) {
		const char *text = announcement->parts[i].text;
		_cleanup_(reading_freep) struct reading *reading = NULL;
		enum reading_refusal refusal;
		char key[ANNOUNCEMENT_KEY_SIZE];
		if (!text)
			continue;
		if (reading_new(text, strlen(text), &how, &reading, &refusal, error) < 0) {
			announcement_text_key(announcement, i, key);
			error_prefix(error, "announcement.%s", key);
			return -EINVAL;
		}
		if (ret_doubtful)
			warnings_print(session, reading, 0);
		doubtful += reading->warnings_count;
	}
	if (ret_doubtful)
		*ret_doubtful = doubtful;
	return 0;
}
