/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "synth/trim.h"
#include "base/strbuf.h"

#include <string.h>

void trim_init(struct trim *trim, const struct trim_config *config, trim_out out, void *context)
{
	*trim = (struct trim){ .config = *config, .out = out, .context = context };
}

void trim_done(struct trim *trim)
{
	free(trim->kept);
	*trim = (struct trim){ 0 };
}

static bool is_loud(int16_t sample)
{
	return sample >= TRIM_QUIET || sample <= -TRIM_QUIET;
}

static void keep(struct trim *trim, const int16_t *samples, size_t count)
{
	if (trim->kept_count + count > trim->kept_capacity) {
		trim->kept_capacity = 2 * (trim->kept_count + count);
		trim->kept = xreallocarray(trim->kept, trim->kept_capacity, sizeof *trim->kept);
	}
	if (count > 0)
		memcpy(trim->kept + trim->kept_count, samples, count * sizeof *samples);
	trim->kept_count += count;
	if (trim->begun || trim->kept_count <= trim->config.lead_samples)
		return;
	/* Leading silence: only its end can matter. */
	size_t excess = trim->kept_count - trim->config.lead_samples;
	memmove(trim->kept, trim->kept + excess, trim->config.lead_samples * sizeof *trim->kept);
	trim->kept_count = trim->config.lead_samples;
}

static int give_kept(struct trim *trim, size_t count)
{
	int result = count > 0 ? trim->out(trim->kept, count, trim->context) : 0;

	trim->kept_count = 0;
	return result;
}

int trim_feed(struct trim *trim, const int16_t *samples, size_t count)
{
	size_t first = 0, after = count;

	while (first < count && !is_loud(samples[first]))
		first++;
	if (first == count) {
		keep(trim, samples, count);
		return 0;
	}
	while (!is_loud(samples[after - 1]))
		after--;
	keep(trim, samples, first);
	int result = give_kept(trim, trim->kept_count);
	if (result != 0)
		return result;
	trim->begun = true;
	result = trim->out(samples + first, after - first, trim->context);
	keep(trim, samples + after, count - after);
	return result;
}

int trim_end(struct trim *trim)
{
	size_t count = trim->kept_count < trim->config.trail_samples ? trim->kept_count
								     : trim->config.trail_samples;
	int result = trim->begun ? give_kept(trim, count) : 0;

	trim->begun = false;
	trim->kept_count = 0;
	return result;
}
