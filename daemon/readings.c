/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/readings.h"
#include "base/strbuf.h"

#include <errno.h>
#include <string.h>

int readings_init(struct readings *ret_readings, const struct config *config,
	const struct announcement *announcement, enum reading_refusal *ret_refusal,
	struct error *error)
{
	struct reading_config how = config_reading(config, announcement->voice_engine,
		announcement->voice_name, announcement->voice_rate);

	*ret_readings = (struct readings){ .count = announcement->parts_count };
	ret_readings->of_part = xcalloc(announcement->parts_count, sizeof(struct reading *));
	for (size_t i = 0; i < announcement->parts_count; i++) {
		const char *text = announcement->parts[i].text;
		if (!text || reading_new(text, strlen(text), &how, &ret_readings->of_part[i],
				     ret_refusal, error) == 0)
			continue;
		char key[ANNOUNCEMENT_KEY_SIZE];
		announcement_text_key(announcement, i, key);
		error_prefix(error, "%s", key);
		readings_done(ret_readings);
		return -EINVAL;
	}
	return 0;
}

void readings_done(struct readings *readings)
{
	for (size_t i = 0; i < readings->count; i++)
		reading_free(readings->of_part[i]);
	free(readings->of_part);
	*readings = (struct readings){ 0 };
}

char *readings_spoken(const struct readings *readings)
{
	struct strbuf spoken = { 0 };

	for (size_t i = 0; i < readings->count; i++) {
		if (!readings->of_part[i])
			continue;
		if (spoken.text)
			strbuf_putc(&spoken, '\n');
		strbuf_puts(&spoken, readings->of_part[i]->spoken);
	}
	return spoken.text ? strbuf_take(&spoken) : NULL;
}
