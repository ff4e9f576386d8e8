/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/orphans.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "daemon/node.h"

#include <math.h>
#include <string.h>

void orphans_done(struct orphans *orphans)
{
	for (size_t i = 0; i < orphans->count; i++)
		free(orphans->list[i].id);
	free(orphans->list);
	*orphans = (struct orphans){ 0 };
}

void orphans_add(struct orphans *orphans, const struct store_play *play, unsigned output)
{
	if (orphans->count == ORPHANS_MAX)
		return;
	orphans->list = xreallocarray(orphans->list, orphans->count + 1, sizeof *orphans->list);
	orphans->list[orphans->count++] = (struct orphan){ xstrdup(play->id), play->revision,
		output };
}

static void take_out(struct orphans *orphans, size_t place)
{
	free(orphans->list[place].id);
	orphans->list[place] = orphans->list[--orphans->count];
}

void orphans_claim(struct orphans *orphans, const char *id, unsigned output)
{
	for (size_t i = 0; i < orphans->count; i++)
		if (orphans->list[i].output == output && strcmp(orphans->list[i].id, id) == 0) {
			take_out(orphans, i);
			return;
		}
}

static void end(struct node *node, const struct orphan *orphan)
{
	const struct output *output = &node->outputs[orphan->output];
	struct store_play play = {
		.id = orphan->id,
		.output = output->config->sound.name,
		.revision = orphan->revision,
		.state = PLAY_FAILED,
		.forget_us = clock_real_us() + NODE_REMEMBER_US,
	};
	struct receipt receipt = {
		.event = RECEIPT_FAILED,
		.id = orphan->id,
		.revision = orphan->revision,
		.node = node->config->node,
		.output = output->config->sound.name,
		.at_us = clock_real_us(),
		.seconds_asked = NAN,
		.seconds_played = NAN,
		.detail = "nội dung trong kho của trạm đã hỏng và máy chủ không có bản nào khác",
	};

	node_receipt(node, &receipt);
	node_remember(node, output, &play);
}

void orphans_tick(struct node *node)
{
	struct orphans *orphans = &node->orphans;

	if (orphans->count == 0 || !node->connected)
		return;
	if (orphans->since_mono_us == 0)
		orphans->since_mono_us = clock_mono_us();
	if (clock_mono_us() - orphans->since_mono_us < ORPHANS_PATIENCE_US)
		return;
	while (orphans->count > 0) {
		end(node, &orphans->list[orphans->count - 1]);
		take_out(orphans, orphans->count - 1);
	}
	store_flush(node->store);
}
