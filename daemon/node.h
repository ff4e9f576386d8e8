/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The node: all state of a running loalangd, owned by the main thread and by nobody else. The
 * other files of daemon/ are its nouns: a message becomes a command (command.c), which queues
 * announcements on outputs (output.c), which play them as broadcasts (broadcast.c); what happened
 * goes into the outbox (outbox.c) and into reports (report.c); health.c watches the threads.
 * Events of the other threads arrive as values in inboxes and are handled one at a time.
 */
#pragma once

#include "audio/device.h"
#include "conf/config.h"
#include "daemon/chimes.h"
#include "daemon/faults.h"
#include "daemon/fetch.h"
#include "daemon/inhand.h"
#include "daemon/ledger.h"
#include "daemon/mqtt.h"
#include "daemon/orphans.h"
#include "daemon/outbox.h"
#include "daemon/request.h"
#include "daemon/schedules.h"
#include "scheduler/queue.h"
#include "scheduler/store.h"
#include "tts/renderer.h"

#include <systemd/sd-event.h>

#define NODE_STOP_US (1800 * US_PER_MS) /* the whole process ends within 2 s (FAULTS F1, B3) */
/* A finished id is remembered this long after its expiry: a retained announcement stays on the
 * broker until somebody removes it, and comes again with every reconnect. */
#define NODE_REMEMBER_US       (INT64_C(400) * 86400 * US_PER_SEC)
#define NODE_REMEMBER_LOCAL_US (INT64_C(3600) * US_PER_SEC) /* ids the node itself has made */

struct broadcast;

/* Broadcasts of one output at a time, each in a slot of the device: the background, one on air, and
 * what is prepared to take its place while what was to take it before is given up. */
#define OUTPUT_PLACES QUEUE_BROADCASTS_MAX

struct output { /* one loudspeaker line */
	struct node *node;
	unsigned index;
	const struct config_output *config;
	struct node_device *device;
	size_t slot; /* its first one on that device */
	struct queue *queue;
	struct broadcast *broadcasts[OUTPUT_PLACES]; /* NULL: nothing */
	double gain_db;                         /* as configured, or as an operator has set it */
	double gain_of_place_db[OUTPUT_PLACES]; /* as the device has it */
	int64_t since_us;                       /* real; since when it is in its present state */
	sd_event_source *timer; /* the next decision of the queue, or change of the gain */
	int64_t wake_us;        /* when it rings; real */
	sd_event_source *tick;  /* while something is on air: how far it came */
	bool changed;           /* its reports are due, soon */
	bool urgent;            /* at once: it is in another state */
	int64_t reported_mono_us;
	struct { /* what the store knew of the foreground's last sound, for a while */
		char id[ID_MAX_BYTES + 1];
		int64_t revision;
		struct queue_run run;
	} restored;
	bool lost; /* its device has said that it is gone (at the start it has not said anything) */
};

struct node_device { /* one ALSA device (or wav file), shared by one or more outputs */
	struct node *node;
	const char *name;
	struct device *device;
	sd_event_source *source;
	unsigned outputs[DEVICE_OUTPUTS_MAX / OUTPUT_PLACES]; /* indices of outputs */
	size_t outputs_count;
	uint64_t turns;    /* at the last health check */
	uint64_t troubles; /* its statistics summed up, as last published */
};

struct node_pending { /* an announcement that is not on disk yet */
	uint64_t ticket;
	char id[ID_MAX_BYTES + 1];
};

struct node {
	const char *config_path;
	struct config *config;
	sd_event *loop;
	struct inbox *store_events, *mqtt_events, *renderer_events, *media_events;
	struct store *store;
	struct media *media;
	struct fetch fetch;
	sd_event_source *fetch_timer, *report_timer;
	struct inhand *inhand; /* NULL: not to be had */
	struct mqtt *mqtt;
	struct outbox outbox;
	struct requests requests;
	struct orphans orphans;
	struct schedules schedules;
	struct ledger *ledger;
	struct faults faults;
	struct output *outputs;
	size_t outputs_count;
	struct node_device *devices;
	size_t devices_count;
	struct renderer_config renderer; /* but for the preset, which is the output's */
	struct levels *levels;           /* its */
	struct chimes chimes;
	char *fallback_path; /* the recording for what no engine can say; NULL: none */
	struct engine *warm; /* an idle engine, ready for the next broadcast; or NULL */

	struct node_pending *pending; /* in order of their tickets */
	size_t pending_count, pending_capacity;
	uint64_t next_sequence; /* of announcements */
	int64_t last_seen_us;   /* the latest real time the store has kept */
	struct {                /* what was seen when the store was loaded, and when that was */
		int64_t seen_us, mono_us;
	} loaded_at;
	uint64_t dropped_up_to;    /* of the store's changes, as it has told last */
	struct inbox_link *unread; /* messages of the broker that were taken and not handled yet */
	int64_t started_mono_us;
	struct {
		int64_t real_us, mono_us;
	} last_start;       /* of node_mono_of_real() */
	bool loaded;        /* the store has answered; until then nothing is decided */
	bool trusted;       /* the clock */
	bool clock_was_set; /* while we ran: by somebody who knew, so the past does not count */
	bool connected;
	int64_t connected_mono_us; /* since then */
	bool changed;              /* the status is due */
	bool reload;               /* SIGHUP with a good file: begin anew when silent */
	bool stopping;
	int exit_status;
	int clock_fd;
	uint64_t store_turns, mqtt_turns, media_turns;
};

/* Runs until a signal ends it: the process's exit status, or NODE_RELOAD: the caller starts anew
 * with the same arguments. Takes `config`. */
#define NODE_RELOAD (-1)
int node_run(struct config *config, const char *config_path) _must_check_;

/* The time, and what it is worth. */
int64_t node_real_of_mono(int64_t mono_us);
/* TIME_UNSET stays so. The two clocks cannot be read at once, so two readings differ by some
 * microseconds: asked for the same instant again it says the same, so that the outputs of one
 * device begin on the same frame. */
int64_t node_mono_of_real(struct node *node, int64_t real_us);

/* Adds a receipt to the outbox and a line to the log; the caller flushes the store. */
void node_receipt(struct node *node, const struct receipt *receipt);

/* The receipt `rejected`, of the node as a whole. `revision` 0: not known. */
void node_reject(struct node *node, const char *id, int64_t revision, enum reason reason,
	const char *detail);

void node_set_fault(struct node *node, const char *what, const char *subject, const char *detail);
void node_clear_fault(struct node *node, const char *what, const char *subject);

/* Remembers on disk and in the ledger; the caller flushes the store. */
void node_remember(struct node *node, const struct output *output, const struct store_play *play);

/* All outputs are silent and every thread has given back what it borrowed. */
bool node_silent(const struct node *node);
/* To be called when something has ended: goes on with a stop or a reload that waits for silence. */
void node_check_end(struct node *node);

/* Judges the clock anew: after a step, and while it waits for the kernel's word. */
void node_judge_clock(struct node *node);
/* The time up to which things may be forgotten: not later than a day after what this node has lived
 * through, unless the kernel vouches for its clock. A clock that is wrong for a minute must not wipe
 * out what was said. */
int64_t node_forget_before_us(const struct node *node);
/* Writes the time into the store, if it is trusted; the caller flushes. */
void node_keep_time(struct node *node);
