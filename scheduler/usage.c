/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/usage.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>

#define MINUTE_US    (INT64_C(60) * US_PER_SEC)
#define SECONDS_MAX  1e9 /* more is as good as for ever */
#define TEXT_NUMBERS 4
/* No instant and no length in a text of ours is longer: so sums cannot overflow. */
#define TEXT_MAX_US (TIME_NEVER / 4)

void usage_init(struct usage *usage)
{
	*usage = (struct usage){
		.day_us = TIME_UNSET, .day_end_us = TIME_UNSET, .until_us = TIME_UNSET
	};
}

static bool is_today(const struct usage *usage, int64_t real_us)
{
	return usage->day_us != TIME_UNSET && real_us >= usage->day_us &&
	       real_us < usage->day_end_us;
}

/* Whether sound from `from_us` belongs to the session of the sound before. */
static bool goes_on(const struct usage *usage, int64_t from_us)
{
	return usage->until_us != TIME_UNSET && from_us - usage->until_us < USAGE_SESSION_PAUSE_US;
}

void usage_add(struct usage *usage, int64_t from_us, int64_t to_us)
{
	/* Sound up to midnight is sound of the day before. */
	int64_t last_us = to_us > from_us ? to_us - 1 : from_us;

	/* Somebody has set the clock back: what comes now was not counted. */
	if (usage->until_us != TIME_UNSET && usage->until_us - to_us > USAGE_SESSION_PAUSE_US)
		usage->until_us = TIME_UNSET;
	if (!is_today(usage, last_us)) {
		usage->day_us = hours_day_begin_us(last_us);
		usage->day_end_us = hours_next_day_us(last_us);
		usage->sounded_us = 0;
		usage->sessions = 0;
	}
	if (usage->sessions == 0 || !goes_on(usage, from_us))
		usage->sessions++;
	if (from_us < usage->day_us)
		from_us = usage->day_us;
	if (from_us < usage->until_us)
		from_us = usage->until_us;
	if (from_us < to_us)
		usage->sounded_us += to_us - from_us;
	if (usage->until_us < to_us)
		usage->until_us = to_us;
}

static bool minutes_left(
	const struct usage *usage, int64_t limit_us, int64_t begin_us, int64_t length_us)
{
	int64_t rest_us = usage->day_end_us - begin_us; /* what is longer goes on tomorrow */
	int64_t today_us = length_us < rest_us ? length_us : rest_us;

	return usage->sounded_us < limit_us && usage->sounded_us + today_us <= limit_us;
}

int64_t usage_allows_us(const struct usage *usage, const struct usage_limits *limits,
	int64_t begin_us, double seconds)
{
	int64_t limit_us = limits->day_minutes * MINUTE_US;
	int64_t length_us = 0;

	if (seconds > 0)
		length_us = (int64_t)((seconds < SECONDS_MAX ? seconds : SECONDS_MAX) * US_PER_SEC);
	if (limit_us > 0 && length_us > limit_us)
		return TIME_NEVER;
	if (!is_today(usage, begin_us))
		return begin_us;
	if (limit_us > 0 && !minutes_left(usage, limit_us, begin_us, length_us))
		return usage->day_end_us;
	if (limits->sessions_per_day > 0 && usage->sessions >= limits->sessions_per_day &&
		!goes_on(usage, begin_us))
		return usage->day_end_us;
	return begin_us;
}

void usage_format(const struct usage *usage, char ret_text[USAGE_TEXT_SIZE])
{
	snprintf(ret_text, USAGE_TEXT_SIZE, "%" PRId64 " %" PRId64 " %d %" PRId64, usage->day_us,
		usage->sounded_us, usage->sessions, usage->until_us);
}

/* Decimal numbers between single spaces, and nothing else. */
static int read_numbers(const char *text, int64_t numbers[TEXT_NUMBERS])
{
	for (size_t i = 0; i < TEXT_NUMBERS; i++) {
		char *end;
		if (*text != '-' && (*text < '0' || *text > '9'))
			return -EINVAL;
		errno = 0;
		numbers[i] = strtoll(text, &end, 10);
		if (errno != 0 || end == text || *end != (i + 1 < TEXT_NUMBERS ? ' ' : '\0'))
			return -EINVAL;
		text = end + 1;
	}
	return 0;
}

static bool is_instant(int64_t real_us)
{
	return real_us == TIME_UNSET || (real_us >= 0 && real_us <= TEXT_MAX_US);
}

int usage_parse(const char *text, struct usage *ret_usage)
{
	int64_t numbers[TEXT_NUMBERS];
	struct usage usage;

	if (read_numbers(text, numbers) < 0 || !is_instant(numbers[0]) || numbers[1] < 0 ||
		numbers[1] > TEXT_MAX_US || numbers[2] < 0 || numbers[2] > INT32_MAX ||
		!is_instant(numbers[3]))
		return -EINVAL;
	usage_init(&usage);
	if (numbers[0] != TIME_UNSET) {
		usage.day_us = hours_day_begin_us(numbers[0]);
		usage.day_end_us = hours_next_day_us(numbers[0]);
	}
	usage.sounded_us = numbers[1];
	usage.sessions = (int)numbers[2];
	usage.until_us = numbers[3];
	*ret_usage = usage;
	return 0;
}
