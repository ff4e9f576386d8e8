/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/outlook.h"

#include "base/clock.h"
#include "cli/seconds.h"
#include "scheduler/plan.h"
#include "scheduler/plan_format.h"
#include <assert.h>
#include <string.h>

#define STEPS 100000

static bool listens(const struct outlook *outlook, const struct config_output *output)
{
	if (outlook->output && strcmp(outlook->output, output->sound.name) != 0)
		return false;
	for (size_t i = 0; i < outlook->zones->count; i++) {
		if (strcmp(outlook->zones->list[i], "all") == 0)
			return true;
		for (size_t z = 0; z < output->zones_count; z++) {
			if (strcmp(outlook->zones->list[i], output->zones[z]) == 0)
				return true;
		}
	}
	return false;
}

/* The outputs that are meant; one of no name when none is configured. */
static size_t find_outputs(
	const struct outlook *outlook, struct plan_output outputs[CONFIG_OUTPUTS_MAX])
{
	const struct config *config = outlook->session->config;
	size_t count = 0;

	for (size_t i = 0; i < config->outputs_count; i++) {
		const struct config_output *output = &config->outputs[i];
		if (listens(outlook, output))
			outputs[count++] = (struct plan_output){ .name = output->sound.name,
				.quiet = &output->quiet,
				.limits = &output->limits };
	}
	if (config->outputs_count == 0 && !outlook->output)
		outputs[count++] = (struct plan_output){ .name = NULL };
	return count;
}

bool outlook_possible(const struct outlook *outlook)
{
	struct plan_output outputs[CONFIG_OUTPUTS_MAX];

	return find_outputs(outlook, outputs) > 0;
}

static void add_rows(
	const struct plan *plan, const struct plan_output *outputs, struct planned *planned)
{
	_cleanup_(strbuf_done) struct strbuf text = { 0 };
	size_t count = 0;
	const struct plan_row *rows = plan_rows(plan, &count);

	for (size_t i = 0; i < count; i++) {
		strbuf_clear(&text);
		plan_format(&text, NULL, &rows[i], outputs[rows[i].output].name);
		_cleanup_(json_freep) struct json *json = json_parse(text.text, text.length, NULL);
		bool added = planned_add(planned, NULL, json);
		assert(added);
		(void)added;
	}
}

int64_t outlook_plan(
	const struct outlook *outlook, int64_t from_us, int64_t until_us, struct planned *planned)
{
	const struct config *config = outlook->session->config;
	struct plan_output outputs[CONFIG_OUTPUTS_MAX];
	size_t outputs_count = find_outputs(outlook, outputs);
	_cleanup_(freep) struct plan_schedule *schedules = xcalloc(
		outlook->count + 1, sizeof(schedules[0]));

	for (size_t i = 0; i < outlook->count; i++) {
		struct schedule *schedule = outlook->schedules[i];
		schedules[i] = (struct plan_schedule){ .schedule = schedule,
			.seconds = seconds_of(config, schedule->announcement),
			.outputs = outputs_count == 64 ? UINT64_MAX
						       : (UINT64_C(1) << outputs_count) - 1 };
	}
	_cleanup_(plan_freep) struct plan *plan = plan_new(schedules, outlook->count, outputs,
		outputs_count, config->gap_us, from_us, until_us);
	while (!plan_step(plan, STEPS))
		continue;
	add_rows(plan, outputs, planned);
	int64_t cut_us = plan_cut_us(plan);
	return cut_us < until_us ? cut_us : until_us;
}
