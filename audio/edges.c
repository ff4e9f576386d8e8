/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/edges.h"

static void begin(struct edges *edges)
{
	edges->first = 0;
	edges->count = 0;
	mix_ramp_set(&edges->rise, 0.0F);
	mix_ramp_to(&edges->rise, 1.0F, edges->fade);
}

void edges_init(struct edges *edges, unsigned rate_hz)
{
	edges->fade = (size_t)rate_hz * EDGES_MS / 1000;
	if (edges->fade > EDGES_FRAMES_MAX)
		edges->fade = EDGES_FRAMES_MAX;
	begin(edges);
}

size_t edges_run(struct edges *edges, float *frames, size_t count)
{
	size_t given = 0;

	mix_ramp_apply(&edges->rise, frames, count);
	for (size_t i = 0; i < count; i++) {
		float frame = frames[i];
		if (edges->count < edges->fade) {
			edges->held[edges->count++] = frame;
			continue;
		}
		frames[given++] = edges->held[edges->first];
		edges->held[edges->first] = frame;
		edges->first = (edges->first + 1) % edges->fade;
	}
	return given;
}

size_t edges_end(struct edges *edges, float ret_frames[EDGES_FRAMES_MAX])
{
	size_t count = edges->count;

	for (size_t i = 0; i < count; i++)
		ret_frames[i] = edges->held[(edges->first + i) % edges->fade];
	mix_fade_out(ret_frames, count, count);
	begin(edges);
	return count;
}
