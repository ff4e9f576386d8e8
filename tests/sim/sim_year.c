/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A year of a village's schedules in simulation, with all that can happen to a node: power cuts,
 * sleep, a clock that is wrong and put right, schedules that are revised and withdrawn. See judge.h for
 * what has to hold.
 *
 *     sim_year [--seed N] [--days N] [--schedules N] [--calm]
 *
 * Without --seed: three seeds. With --calm: only a year in which nothing happens, and the seconds it
 * took. A failure names the seed: the same one fails again.
 */
#include "base/clock.h"
#include "tests/sim/world.h"

#include <getopt.h>
#include <time.h>

#define SEC       US_PER_SEC
#define MINUTE    (60 * SEC)
#define HOUR      (60 * MINUTE)
#define DAY       (24 * HOUR)
#define BEGIN_US  (INT64_C(1798736400) * SEC) /* 2027 in Vietnam */
#define YEAR_2038 (INT64_C(11) * 365 * DAY)
#define QUIET_END (6 * DAY) /* nothing happens any more: all that was begun comes to an end */
#define ACTS_MAX  2000

enum act {
	ACT_CUT,
	ACT_STOP,
	ACT_BOOT,
	ACT_BOOT_1970, /* no battery */
	ACT_BOOT_PAST, /* as the clock was when it went down */
	ACT_SLEEP,
	ACT_CLOCK_RIGHT,
	ACT_CLOCK_AHEAD,
	ACT_CLOCK_BACK,
	ACT_CLOCK_2038,
	ACT_REVISE,
	ACT_REVISE_HEARD, /* what is being said */
	ACT_WITHDRAW,
	ACT_EMPTY,
};

struct action {
	int64_t at_us;
	size_t order;
	enum act act;
	int64_t length_us;
};

struct story {
	struct village village;
	struct judge judge;
	struct world *world;
	struct random random;
	int64_t begin_us, end_us;
	int *revisions; /* of each schedule */
	struct action actions[ACTS_MAX];
	size_t actions_count;
	int64_t down_us, wrong_us; /* since when; TIME_UNSET */
};

/* --- What happens ----------------------------------------------------------------------------- */

static void publish(struct story *story, size_t schedule, const char *json)
{
	const char *second = village_second_zone(&story->village, schedule);

	world_publish(story->world, village_zone(&story->village, schedule), schedule,
		json ? xstrdup(json) : NULL);
	if (second[0])
		world_publish(story->world, second, schedule, json ? xstrdup(json) : NULL);
}

static void revise(struct story *story, size_t schedule)
{
	_cleanup_(freep) char *json = village_json(
		&story->village, schedule, ++story->revisions[schedule]);

	publish(story, schedule, json);
}

static void withdraw(struct story *story, size_t schedule)
{
	_cleanup_(freep) char *json = xasprintf(
		"{\"withdrawn\":true,\"revision\":%d}", ++story->revisions[schedule]);

	publish(story, schedule, json);
}

static int64_t connect_after_us(struct story *story)
{
	return random_log(&story->random, SEC / 5, HOUR);
}

/* So far ahead, more than a month was passed over in silence; and what was judged so far ahead says
 * nothing of the time until the node wakes with the right time. */
static void note_right(struct story *story)
{
	if (story->wrong_us == TIME_UNSET || !world_is_up(story->world) ||
		world_offset_us(story->world) != 0)
		return;
	judge_expects_silence(
		&story->judge, story->wrong_us - 4 * DAY, world_now_us(story->world) + MINUTE);
	story->wrong_us = TIME_UNSET;
}

static void boot(struct story *story, int64_t offset_us, bool synchronised)
{
	if (world_is_up(story->world))
		return;
	world_set_clock(story->world, offset_us, synchronised);
	world_boot(story->world, connect_after_us(story));
	note_right(story);
}

static void set_wrong(struct story *story, int64_t offset_us)
{
	if (story->wrong_us == TIME_UNSET)
		story->wrong_us = world_now_us(story->world);
	world_set_clock(story->world, offset_us, false);
}

static void set_right(struct story *story)
{
	world_set_clock(story->world, 0, true);
	note_right(story);
}

static void carry_out(struct story *story, const struct action *action)
{
	int64_t now_us = world_now_us(story->world);
	size_t schedule = (size_t)random_below(&story->random, (int)story->village.schedules);

	switch (action->act) {
	case ACT_CUT:
	case ACT_STOP:
		if (world_is_up(story->world))
			story->down_us = now_us + world_offset_us(story->world);
		if (action->act == ACT_CUT)
			world_cut_power(story->world);
		else
			world_stop(story->world);
		break;
	case ACT_BOOT:
		boot(story, world_offset_us(story->world), world_offset_us(story->world) == 0);
		break;
	case ACT_BOOT_1970:
		boot(story, -now_us, false);
		break;
	case ACT_BOOT_PAST:
		boot(story, story->down_us - now_us, false);
		break;
	case ACT_SLEEP:
		world_suspend(story->world, action->length_us);
		break;
	case ACT_CLOCK_RIGHT:
		set_right(story);
		break;
	case ACT_CLOCK_AHEAD:
		world_set_clock(story->world, 3 * DAY, false);
		break;
	case ACT_CLOCK_BACK:
		world_set_clock(story->world, -2 * HOUR, false);
		break;
	case ACT_CLOCK_2038:
		set_wrong(story, YEAR_2038);
		break;
	case ACT_REVISE:
		revise(story, schedule);
		break;
	case ACT_REVISE_HEARD:
		if (world_heard(story->world) != SIZE_MAX)
			revise(story, world_heard(story->world));
		break;
	case ACT_WITHDRAW:
		withdraw(story, schedule);
		break;
	case ACT_EMPTY:
		publish(story, schedule, NULL);
		break;
	}
}

/* --- When it happens -------------------------------------------------------------------------- */

static void plan(struct story *story, int64_t at_us, enum act act, int64_t length_us)
{
	if (story->actions_count == ACTS_MAX)
		abort();
	story->actions[story->actions_count] = (struct action){ at_us, story->actions_count, act,
		length_us };
	story->actions_count++;
}

static int64_t some_time(struct story *story)
{
	int64_t at_us = random_between(
		&story->random, story->begin_us + DAY, story->end_us - QUIET_END);

	/* Half of it when there is much to do. */
	if (random_below(&story->random, 2) == 0)
		at_us = at_us / HOUR * HOUR +
			(random_below(&story->random, 2) == 0 ? 0 : HOUR / 2) +
			random_between(&story->random, -30 * SEC, 120 * SEC);
	return at_us;
}

static void plan_outages(struct story *story, int count, int64_t most_us)
{
	for (int i = 0; i < count; i++) {
		int64_t at_us = some_time(story);
		int64_t back_us = at_us + random_log(&story->random, 5 * SEC, most_us);
		int kind = random_below(&story->random, 5);
		plan(story, at_us, random_below(&story->random, 6) == 0 ? ACT_STOP : ACT_CUT, 0);
		plan(story, back_us,
			kind == 0   ? ACT_BOOT_1970
			: kind == 1 ? ACT_BOOT_PAST
				    : ACT_BOOT,
			0);
		if (random_below(&story->random, 4) == 0) { /* a power that cannot decide */
			int64_t again_us = back_us +
					   random_log(&story->random, 5 * US_PER_MS, 2 * SEC);
			plan(story, again_us, ACT_CUT, 0);
			plan(story, again_us + 4 * SEC, ACT_BOOT, 0);
		}
		if (kind < 2)
			plan(story, back_us + random_log(&story->random, 30 * SEC, 12 * HOUR),
				ACT_CLOCK_RIGHT, 0);
	}
}

static void plan_restarts(struct story *story, int count)
{
	for (int i = 0; i < count; i++) {
		int64_t at_us = some_time(story);
		plan(story, at_us, ACT_CUT, 0);
		plan(story, at_us + random_log(&story->random, 3 * SEC, 10 * MINUTE), ACT_BOOT, 0);
	}
}

static void plan_steps(struct story *story, enum act act, int count, int64_t most_us)
{
	for (int i = 0; i < count; i++) {
		int64_t at_us = some_time(story);
		plan(story, at_us, act, 0);
		plan(story, at_us + random_log(&story->random, MINUTE, most_us), ACT_CLOCK_RIGHT,
			0);
	}
}

/* When all outputs are busy, and some wait; half of the time power goes soon after that. */
static void plan_revisions_on_air(struct story *story, int count)
{
	for (int i = 0; i < count; i++) {
		int64_t day_us = random_between(&story->random, 1,
					 (story->end_us - story->begin_us - QUIET_END) / DAY - 1) *
				 DAY;
		int64_t at_us = story->begin_us + day_us + HOUR * 11 / 2 +
				random_between(&story->random, -14, 60) * SEC;
		plan(story, at_us, ACT_REVISE_HEARD, 0);
		if (i % 2)
			continue;
		at_us += random_log(&story->random, 20 * US_PER_MS, 40 * SEC);
		plan(story, at_us, ACT_CUT, 0);
		plan(story, at_us + random_log(&story->random, 5 * SEC, MINUTE), ACT_BOOT, 0);
	}
}

static void plan_some(struct story *story, enum act act, int count, int64_t most_us)
{
	for (int i = 0; i < count; i++)
		plan(story, some_time(story), act,
			most_us ? random_log(&story->random, 10 * SEC, most_us) : 0);
}

static int by_time(const void *a, const void *b)
{
	const struct action *one = a, *other = b;

	if (one->at_us != other->at_us)
		return one->at_us < other->at_us ? -1 : 1;
	return one->order < other->order ? -1 : 1;
}

/* --- A story ---------------------------------------------------------------------------------- */

static void story_init(
	struct story *story, const char *name, uint64_t seed, int days, size_t schedules)
{
	*story = (struct story){ .random = { seed * 77 + 1 },
		.begin_us = BEGIN_US,
		.end_us = BEGIN_US + days * DAY,
		.down_us = BEGIN_US,
		.wrong_us = TIME_UNSET };
	village_init(&story->village, seed, schedules);
	judge_init(&story->judge, name, &story->village);
	story->world = world_new(&story->village, &story->judge, BEGIN_US, seed);
	story->revisions = xcalloc(schedules, sizeof *story->revisions);
	for (size_t i = 0; i < schedules; i++)
		revise(story, i);
	world_boot(story->world, SEC);
}

static void story_done(struct story *story)
{
	world_free(story->world);
	judge_done(&story->judge);
	free(story->revisions);
}

static void tell(struct story *story)
{
	qsort(story->actions, story->actions_count, sizeof *story->actions, by_time);
	for (size_t i = 0; i < story->actions_count; i++) {
		world_run(story->world, story->actions[i].at_us);
		carry_out(story, &story->actions[i]);
	}
	set_right(story);
	boot(story, 0, true);
	/* What begins up to the end has until then. */
	world_run(story->world, story->end_us + 2 * DAY);
	judge_finish(&story->judge, story->end_us);
}

static void print(const struct story *story, double seconds)
{
	const struct judge *judge = &story->judge;

	printf("%s, seed %llu: %zu demanded, %zu begun, %zu finished, %zu expired (%zu missed), "
	       "%zu others, "
	       "%zu turns, %.2f s; %zu failures\n",
		judge->name, (unsigned long long)story->village.seed, judge->demanded, judge->begun,
		judge->finished, judge->expired, judge->late, judge->others,
		world_turns(story->world), seconds, judge->failures);
}

static double now_s(void)
{
	return (double)clock_mono_us() / US_PER_SEC;
}

static size_t stormy_year(uint64_t seed, int days, size_t schedules)
{
	_cleanup_(freep) struct story *story = xcalloc(1, sizeof *story);
	double begun_s = now_s();

	story_init(story, "stormy year", seed, days, schedules);
	plan_outages(story, 80, 3 * DAY);
	plan_some(story, ACT_SLEEP, 30, DAY);
	plan_steps(story, ACT_CLOCK_AHEAD, 8, 20 * HOUR);
	plan_steps(story, ACT_CLOCK_BACK, 8, 20 * HOUR);
	plan_steps(story, ACT_CLOCK_2038, 3, 5 * HOUR);
	plan_some(story, ACT_REVISE, 150, 0);
	plan_revisions_on_air(story, 40);
	plan_some(story, ACT_WITHDRAW, 15, 0);
	plan_some(story, ACT_EMPTY, 10, 0);
	tell(story);
	print(story, now_s() - begun_s);
	size_t failures = story->judge.failures;
	story_done(story);
	return failures;
}

static struct story *plain_year(
	const char *name, uint64_t seed, int days, size_t schedules, int restarts)
{
	struct story *story = xcalloc(1, sizeof *story);
	double begun_s = now_s();

	story_init(story, name, seed, days, schedules);
	plan_restarts(story, restarts);
	tell(story);
	print(story, now_s() - begun_s);
	return story;
}

static size_t two_nodes(uint64_t seed, int days, size_t schedules)
{
	_cleanup_(freep) struct story *calm = plain_year("calm year", seed, days, schedules, 0);
	_cleanup_(freep) struct story *restless = plain_year(
		"restless year", seed, days, schedules, 60);
	size_t compared = judge_compare(&calm->judge, &restless->judge);
	size_t failures = calm->judge.failures + restless->judge.failures;

	printf("two nodes, seed %llu: %zu compared\n", (unsigned long long)seed, compared);
	story_done(calm);
	story_done(restless);
	return failures + (compared == 0);
}

static size_t calm_year(uint64_t seed, int days, size_t schedules)
{
	_cleanup_(freep) struct story *calm = plain_year("calm year", seed, days, schedules, 0);
	size_t failures = calm->judge.failures;

	story_done(calm);
	return failures;
}

static int usage(void)
{
	fprintf(stderr, "sim_year [--seed N] [--days N] [--schedules N] [--calm]\n");
	return 2;
}

int main(int count, char **arguments)
{
	static const struct option options[] = { { "seed", required_argument, NULL, 's' },
		{ "days", required_argument, NULL, 'd' },
		{ "schedules", required_argument, NULL, 'n' }, { "calm", no_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 } };
	uint64_t first = 1, last = 3;
	int days = 365, option;
	size_t schedules = 200, failures = 0;
	bool calm = false;

	setenv("TZ", VILLAGE_TIMEZONE, 1);
	tzset();
	while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			first = last = strtoull(optarg, NULL, 10);
			break;
		case 'd':
			days = atoi(optarg);
			break;
		case 'n':
			schedules = strtoul(optarg, NULL, 10);
			break;
		case 'c':
			calm = true;
			break;
		default:
			return usage();
		}
	}
	for (uint64_t seed = first; seed <= last; seed++)
		failures += calm ? calm_year(seed, days, schedules)
				 : stormy_year(seed, days, schedules);
	if (!calm)
		failures += two_nodes(first, (days + 2) / 3, schedules);
	return failures > 0;
}
