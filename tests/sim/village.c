/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/sim/village.h"
#include "base/strbuf.h"
#include "tests/sim/random.h"

#include <string.h>

#define PICK(random, list) ((list)[random_below(random, countof(list))])

static const struct village_output outputs[VILLAGE_OUTPUTS] = {
	{ "loa-1", { "thon-1", "khu-a", NULL }, { { { 1260, 300 } }, 1 }, { 0, 0, 0 } },
	{ "loa-2", { "thon-2", "khu-a", NULL }, { { { 1320, 270 }, { 661, 810 } }, 2 },
		{ 10, 0, 0 } },
	{ "loa-3", { "thon-3", "khu-a", NULL }, { { { 1200, 330 } }, 1 }, { 10, 20, 0 } },
	{ "loa-4", { "thon-4", "khu-a", NULL }, { { { 0, 0 } }, 0 }, { 0, 0, 0 } },
	{ "loa-5", { "thon-5", "khu-b", NULL }, { { { 1260, 300 } }, 1 }, { 10, 0, 12 } },
	{ "loa-6", { "thon-6", "khu-b", NULL }, { { { 1021, 361 }, { 660, 840 } }, 2 },
		{ 10, 30, 20 } },
	{ "loa-7", { "thon-7", "khu-b", NULL }, { { { 720, 780 } }, 1 }, { 0, 60, 0 } },
	{ "loa-8", { "thon-8", "khu-b", NULL }, { { { 1260, 1440 }, { 0, 240 } }, 2 },
		{ 0, 0, 0 } },
};

void village_init(struct village *village, uint64_t seed, size_t schedules)
{
	*village = (struct village){ .seed = seed, .schedules = schedules };
	memcpy(village->outputs, outputs, sizeof outputs);
}

bool village_listens(const struct village *village, unsigned output, const char *zone)
{
	const char *const *zones = village->outputs[output].zones;

	if (strcmp(zone, "all") == 0)
		return true;
	for (; *zones; zones++)
		if (strcmp(*zones, zone) == 0)
			return true;
	return false;
}

void village_id(size_t schedule, char ret_id[VILLAGE_ID_SIZE])
{
	snprintf(ret_id, VILLAGE_ID_SIZE, "lich-%05zu", schedule % 100000);
}

size_t village_schedule_of(const char *id)
{
	return strtoul(id + strlen("lich-"), NULL, 10);
}

/* What is chosen for a schedule must not depend on how often others were asked for. */
static struct random random_of(const struct village *village, size_t schedule, int what)
{
	struct random random = { village->seed * 1000003 + schedule * 1009 + (uint64_t)what };

	(void)random_bits(&random);
	return random;
}

const char *village_zone(const struct village *village, size_t schedule)
{
	static const char *const zones[] = { "all", "khu-a", "khu-b", "khu-a", "khu-b", "thon-1",
		"thon-2", "thon-3", "thon-4", "thon-5", "thon-6", "thon-7", "thon-8" };
	struct random random = random_of(village, schedule, 900000);

	return PICK(&random, zones);
}

const char *village_second_zone(const struct village *village, size_t schedule)
{
	return schedule % 20 == 7 && strcmp(village_zone(village, schedule), "khu-b") != 0 ? "khu-b"
											   : "";
}

double village_seconds(const struct village *village, size_t schedule)
{
	struct random random = random_of(village, schedule, 900001);
	int most = random_below(&random, 12) == 0 ? 500 : 70;

	return (double)random_between(&random, 6, most);
}

int64_t village_length_us(const struct village *village, size_t schedule)
{
	struct random random = random_of(village, schedule, 900002);

	return (int64_t)(village_seconds(village, schedule) *
			 (double)random_between(&random, 900000, 1080000));
}

/* --- Rules ------------------------------------------------------------------------------------ */

static void put_solar(struct strbuf *json, struct random *random)
{
	static const char *const minutes[] = { "30 5", "0 6", "0 17", "30 5", "45 16", "0 11",
		"*/30 9" };
	static const char *const days[] = { "* * *", "* * *", "* * 1-6", "* * 1-5", "* * 0",
		"* * sat,sun", "1 * *", "1,15 * *", "*/2 * *", "10-20 3,6,9 *", "13 * 5",
		"30 4 *" };

	if (random_below(random, 40) == 0)
		strbuf_puts(json, "\"cron\":\"0 5-20 * * *\"");
	else if (random_below(random, 60) == 0)
		strbuf_puts(json, "\"cron\":\"@hourly\"");
	else if (random_below(random, 3) == 0)
		strbuf_printf(json, "\"cron\":\"%d %d %s\"", random_below(random, 60),
			random_below(random, 24), PICK(random, days));
	else
		strbuf_printf(
			json, "\"cron\":\"%s %s\"", PICK(random, minutes), PICK(random, days));
}

static void put_lunar(struct strbuf *json, struct random *random)
{
	static const char *const days[] = { "1,15 * *", "L * *", "14,L * *", "23 12 *", "1-3 1 *",
		"10 3 *", "15 7 *", "1 * 0" };

	strbuf_printf(json, "\"calendar\":\"lunar\",\"cron\":\"%d %d %s\"",
		random_below(random, 4) * 15, 4 + random_below(random, 16), PICK(random, days));
}

static void put_bounds(struct strbuf *json, struct random *random)
{
	static const char *const zones[] = { "Europe/Berlin", "Australia/Lord_Howe",
		"America/St_Johns", "UTC" };

	if (random_below(random, 8) == 0)
		strbuf_printf(json, ",\"from\":\"2027-%02d-01\"", 1 + random_below(random, 12));
	if (random_below(random, 8) == 0)
		strbuf_printf(json, ",\"until\":\"2027-12-%02d\"", 1 + random_below(random, 28));
	if (random_below(random, 4) == 0)
		strbuf_printf(json,
			",\"except\":[\"2027-02-05/2027-02-10\",\"2027-%02d-30\",\"2027-09-02\"]",
			3 + random_below(random, 9));
	if (random_below(random, 12) == 0)
		strbuf_printf(json, ",\"timezone\":\"%s\"", PICK(random, zones));
}

static void put_announcement(
	struct strbuf *json, struct random *random, size_t schedule, int revision)
{
	static const char *const priorities[] = { "background", "normal", "normal", "normal",
		"normal", "normal", "priority", "priority" };
	static const char *const expiries[] = { "1m", "5m", "30m", "1h", "1h", "6h", "12h" };
	static const char *const policies[] = { "resume", "resume", "resume", "restart", "drop" };
	const char *priority = random_below(random, 25) == 0 ? "emergency"
							     : PICK(random, priorities);

	strbuf_printf(json,
		",\"announcement\":{\"text\":\"Bản tin %zu, lần %d.\",\"priority\":\"%s\","
		"\"expires_after\":\"%s\",\"interrupted\":\"%s\"}}",
		schedule, revision, priority, PICK(random, expiries), PICK(random, policies));
}

char *village_json(const struct village *village, size_t schedule, int revision)
{
	static const char *const lates[] = { "0s", "30s", "120s", "10m", "1h", "24h" };
	/* Every other revision says other words at the same times. */
	struct random rule = random_of(village, schedule, revision / 2);
	struct random words = random_of(village, schedule, 1000 + revision / 4);
	struct strbuf json = { 0 };

	strbuf_printf(&json, "{\"revision\":%d,", revision);
	if (random_below(&rule, 5) == 0)
		put_lunar(&json, &rule);
	else
		put_solar(&json, &rule);
	put_bounds(&json, &rule);
	if (random_below(&rule, 2) == 0)
		strbuf_printf(&json, ",\"late\":\"%s\"", PICK(&rule, lates));
	put_announcement(&json, &words, schedule, revision);
	return strbuf_take(&json);
}
