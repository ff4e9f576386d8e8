/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/planning.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/broadcast.h"
#include "daemon/node.h"
#include "daemon/output.h"
#include "scheduler/plan_format.h"

#include <string.h>

#define SLICE_US   (8 * US_PER_MS)
#define PAUSE_US   (24 * US_PER_MS) /* a quarter of main's time at the most */
#define PLAN_STEPS 20               /* between two looks at the clock */
#define DAY_US     (INT64_C(86400) * US_PER_SEC)

struct item { /* a schedule that is planned */
	char zone[NAME_MAX_BYTES + 1];
	struct schedule *schedule;
	double seconds; /* of an occurrence; 0: not measured yet */
};

struct planning {
	struct node *node;
	sd_event_source *timer;
	int64_t from_us, until_us;
	uint64_t outputs; /* those that were asked for; bit n: output n */
	struct item *items;
	size_t count, capacity;
	size_t measured; /* items before it have their length */
	struct plan *plan;
	struct strbuf out;
	size_t written, end; /* rows of the plan */
	void (*on_done)(struct planning *planning, const char *json, void *context);
	void *context;
};

/* --- What is planned -------------------------------------------------------------------------- */

static void add(
	struct planning *planning, const char *zone, struct schedule *schedule, double seconds)
{
	if (schedule->withdrawal)
		return;
	if (planning->count == planning->capacity) {
		planning->capacity = planning->capacity ? 2 * planning->capacity : 16;
		planning->items = xreallocarray(
			planning->items, planning->capacity, sizeof *planning->items);
	}
	struct item *item = &planning->items[planning->count++];
	*item = (struct item){ .schedule = schedule_ref(schedule), .seconds = seconds };
	snprintf(item->zone, sizeof item->zone, "%s", zone);
}

struct collection { /* for timetable_each() */
	struct planning *planning;
	const struct planning_question *question;
};

static void collect(const struct timetable_row *row, void *context)
{
	struct collection *collection = context;
	const struct planning_question *question = collection->question;

	for (size_t i = 0; i < question->candidates_count; i++)
		if (strcmp(question->candidates[i].zone, row->zone) == 0 &&
			strcmp(question->candidates[i].schedule->id, row->schedule->id) == 0)
			return;
	add(collection->planning, row->zone, row->schedule, row->seconds);
}

static void collect_all(struct planning *planning, const struct planning_question *question)
{
	struct collection collection = { planning, question };

	for (size_t i = 0; i < question->candidates_count; i++)
		add(planning, question->candidates[i].zone, question->candidates[i].schedule, 0);
	timetable_each(planning->node->schedules.timetable, collect, &collection);
}

/* --- The three parts of the work -------------------------------------------------------------- */

/* The next of those whose length is not known. */
static void measure(struct planning *planning)
{
	struct node *node = planning->node;
	struct item *item = &planning->items[planning->measured++];

	if (item->seconds > 0)
		return;
	item->seconds = broadcast_seconds_of(node, item->schedule->announcement);
	const struct timetable_row *row = timetable_find(
		node->schedules.timetable, item->zone, item->schedule->id);
	if (row && row->schedule == item->schedule)
		timetable_set_seconds(
			node->schedules.timetable, item->zone, item->schedule->id, item->seconds);
}

static uint64_t outputs_of(const struct planning *planning, const char *zone)
{
	uint64_t outputs = 0;

	for (size_t i = 0; i < planning->node->outputs_count; i++)
		if (output_listens(&planning->node->outputs[i], zone))
			outputs |= UINT64_C(1) << i;
	return outputs & planning->outputs;
}

static struct plan *make_plan(const struct planning *planning)
{
	const struct node *node = planning->node;
	_cleanup_(freep) struct plan_output *outputs = xcalloc(
		node->outputs_count, sizeof *outputs);
	_cleanup_(freep) struct plan_schedule *schedules = xcalloc(
		planning->count + 1, sizeof *schedules);

	for (size_t i = 0; i < node->outputs_count; i++) {
		const struct output *output = &node->outputs[i];
		outputs[i] = (struct plan_output){
			.name = output->config->sound.name,
			.quiet = &output->config->quiet,
			.limits = &output->config->limits,
			.usage = queue_usage(output->queue),
			.muted = queue_muted(output->queue),
		};
	}
	for (size_t i = 0; i < planning->count; i++)
		schedules[i] = (struct plan_schedule){
			.schedule = planning->items[i].schedule,
			.seconds = planning->items[i].seconds,
			.outputs = outputs_of(planning, planning->items[i].zone),
		};
	return plan_new(schedules, planning->count, outputs, node->outputs_count,
		node->config->gap_us, planning->from_us, planning->until_us);
}

/* How many rows are told: of an instant all or none. */
static size_t rows_told(const struct plan_row *rows, size_t count)
{
	size_t end = PLANNING_ROWS_MAX;

	if (count <= PLANNING_ROWS_MAX)
		return count;
	while (end > 0 && rows[end].start_us == rows[end - 1].start_us)
		end--;
	for (end = end > 0 ? end : 1; end < count && rows[end].start_us == rows[0].start_us; end++)
		continue;
	return end;
}

/* A step of the plan; behind the last one the answer is begun. */
static void simulate(struct planning *planning)
{
	size_t count;

	if (!planning->plan)
		planning->plan = make_plan(planning);
	if (!plan_step(planning->plan, PLAN_STEPS))
		return;
	const struct plan_row *rows = plan_rows(planning->plan, &count);
	planning->end = rows_told(rows, count);
	json_write_begin_object(&planning->out, NULL);
	json_write_string(&planning->out, "node", planning->node->config->node);
	json_write_begin_array(&planning->out, "rows");
}

/* A row of the answer. True: it is complete. */
static bool write_row(struct planning *planning)
{
	size_t count;
	const struct plan_row *rows = plan_rows(planning->plan, &count);
	int64_t until_us = plan_cut_us(planning->plan);

	if (planning->written < planning->end) {
		const struct plan_row *row = &rows[planning->written++];
		plan_format(&planning->out, NULL, row,
			planning->node->config->outputs[row->output].sound.name);
		return false;
	}
	if (planning->end < count)
		until_us = rows[planning->end].start_us;
	json_write_end_array(&planning->out);
	json_write_bool(&planning->out, "more", until_us != TIME_NEVER);
	json_write_time(
		&planning->out, "until", until_us != TIME_NEVER ? until_us : planning->until_us);
	json_write_end_object(&planning->out);
	return true;
}

/* --- In slices -------------------------------------------------------------------------------- */

/* True when all is done. */
static bool work(struct planning *planning)
{
	int64_t until_mono_us = clock_mono_us() + SLICE_US;
	bool done = false;

	while (!done && clock_mono_us() < until_mono_us) {
		if (planning->measured < planning->count)
			measure(planning);
		else if (!planning->out.text)
			simulate(planning);
		else
			done = write_row(planning);
	}
	return done;
}

static int on_slice(sd_event_source *source, uint64_t at_us, void *context)
{
	struct planning *planning = context;

	(void)at_us;
	if (work(planning)) {
		planning->on_done(planning, planning->out.text, planning->context);
		return 0;
	}
	(void)sd_event_source_set_time_relative(source, (uint64_t)PAUSE_US);
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

struct planning *planning_new(struct node *node, const struct planning_question *question,
	void (*on_done)(struct planning *planning, const char *json, void *context), void *context)
{
	struct planning *planning = xcalloc(1, sizeof *planning);

	*planning = (struct planning){
		.node = node,
		.from_us = question->from_us,
		.until_us = question->from_us + question->days * DAY_US,
		.on_done = on_done,
		.context = context,
	};
	for (size_t i = 0; i < node->outputs_count; i++)
		if (!question->output ||
			strcmp(question->output, node->config->outputs[i].sound.name) == 0)
			planning->outputs |= UINT64_C(1) << i;
	collect_all(planning, question);
	if (sd_event_add_time_relative(node->loop, &planning->timer, CLOCK_MONOTONIC, 0, US_PER_MS,
		    on_slice, planning) < 0)
		return planning_free(planning);
	return planning;
}

struct planning *planning_free(struct planning *planning)
{
	if (!planning)
		return NULL;
	sd_event_source_disable_unref(planning->timer);
	for (size_t i = 0; i < planning->count; i++)
		schedule_unref(planning->items[i].schedule);
	free(planning->items);
	plan_free(planning->plan);
	strbuf_done(&planning->out);
	free(planning);
	return NULL;
}
