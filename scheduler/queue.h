/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queue of one output: what waits, what is prepared, what is on air, and what is to be done
 * now. A pure state machine: facts in, decisions out; `now` is an argument; no thread, no clock
 * (but libc's time zone, for hours of the day), no I/O. Main's, one for each output.
 *
 *              ┌──────────────── cut off: goes on later ◀──────────────┐
 *              ▼                                                       │ queue_on_over()
 *   offer ─▶ WAITING ──QUEUE_DO_PREPARE──▶ PREPARING ──on_started──▶ ON_AIR
 *              │                              │ QUEUE_DO_FADE          │ QUEUE_DO_FADE
 *              │                              └────────▶ ENDING ◀──────┘
 *              └─QUEUE_DO_DROP─▶ gone            on_over │ ▶ gone, or WAITING again
 *
 * Order: priority (highest first), then start (none counts as arrival), then occurrences of schedules
 * by their ids, then arrival.
 *
 * Lanes: `background` has a lane of its own: it sounds under what the foreground says (the caller
 * ducks it: queue_ducks()), begins only while the foreground has nothing to say, and on air it
 * yields to an emergency only. In the foreground one thing sounds at a time.
 *
 * Ripe is an entry whose start (and the gap behind the one before) is at most QUEUE_PREPARE_US away.
 * A ripe entry is prepared when its lane is free; or when it has a higher priority than all that is
 * in the lane: then what was only being prepared goes back to wait (recalled), and what is on air is
 * faded when the newcomer is primed and its start is at most QUEUE_FADE_US away (preempted). Equal
 * priorities never interrupt each other. Emergencies do not wait for the gap, nor for the disk, nor
 * until something has faded.
 *
 * Held, and not ripe: not durable (but emergencies); time not trusted and (a start given, or quiet
 * hours configured), but emergencies, which then do not wait for their start
 * either, unless they were planned (QUEUE_PLANNED_US) or were over when time was trusted last; the output
 * lost; muted (emergencies too: mute is absolute); media on its way (enum queue_media); quiet hours, and limits (never emergencies; those of the day only while time is
 * trusted, for else there is no day). Quiet hours also hold what would run into them by its
 * predicted length. What cannot begin before it expires is dropped at once: `expired` with the
 * reason that holds it. An entry longer than item_minutes is dropped: `expired`, `limit`. What is on
 * air when quiet hours begin is faded just before, and is held; what was begun within the limits
 * is said to its end.
 *
 * What is cut off (preempted, muted, quiet hours, output lost, node stopped, crash) goes on by its
 * policy: `resume` where the broadcast says, `restart` at the beginning, `drop` is cancelled; its
 * place in the order, and its expiry, are what they were. What was not heard this time just waits
 * again, for the same position.
 *
 * An occurrence of a schedule (announcement->late_us) about which nobody has asked, with trusted time,
 * between its start and `late` (QUEUE_LATE_SLACK_US at least) after it has been missed (the node was
 * off, asleep, or its clock wrong): it is dropped, `expired`, `late`. One that was there in time and
 * waits for something else is judged by its expiry.
 *
 * Late joiners (enum queue_join): what this output alone has missed while its neighbours were saying it:
 * its start passed while the node was off or away from the broker, its device lost, the output muted, its
 * clock wrong; or it was on air, in step with the others, and cut off by one of these. It comes in at the
 * right place, or is left alone (`expired`, `late`); what follows waits until the others have said it.
 * What they have said already, or all but some seconds, is nobody's echo: it is said whole, or goes on at
 * its sentence, once they are silent. No late joiner is what waited for something of this output's own:
 * another announcement, quiet hours, a limit, a recording; nor an emergency, which is always heard whole.
 *
 * While time is not trusted nothing expires by time.
 */
#pragma once

#include "scheduler/announcement.h"
#include "scheduler/receipt.h"
#include "scheduler/usage.h"

#define QUEUE_ENTRIES_MAX     1000 /* that wait, besides emergencies, which have their own: */
#define QUEUE_EMERGENCIES_MAX 50
#define QUEUE_PREPARE_US      (3 * US_PER_SEC) /* rendering begins this long before the start */
#define QUEUE_FADE_US         (60 * US_PER_MS) /* what is preempted begins to fade so long before */
#define QUEUE_QUIET_LEAD_US \
	(400 * US_PER_MS) /* and before quiet hours: a device holds some sound */
#define QUEUE_MEDIA_GRACE_US (10 * US_PER_SEC) /* for a recording that has not come */
#define QUEUE_PLANNED_US     (60 * US_PER_SEC) /* a start so long after the issue is a plan */
#define QUEUE_BROADCASTS_MAX 4 /* at a time: background, what is faded, recalled, and its reason */
#define QUEUE_LATE_SLACK_US  (2 * US_PER_SEC) /* so long a busy machine may take at an instant */
#define QUEUE_TRIES_MAX      2 /* so often may a process die with it in hand (FAULTS C2) */

#define QUEUE_LENGTH_MAX_S 1e7 /* a prediction beyond it is none */

enum queue_join {
	QUEUE_JOIN_WHOLE, /* nothing is lost: from its beginning, when it can */
	QUEUE_JOIN_PLACE, /* in step with the others */
	QUEUE_JOIN_NEXT,  /* not at all: the next one */
	QUEUE_JOINS,
};
/* As they are written in the configuration, by enum queue_join, then NULL. */
extern const char *const queue_join_names[QUEUE_JOINS + 1];
/* Anything else is the first. */
enum queue_join queue_join_parse(const char *name);

enum queue_phase { QUEUE_WAITING, QUEUE_PREPARING, QUEUE_ON_AIR, QUEUE_ENDING };

/* Why something ends. queue_cause_name() for logs; what becomes of it: see queue_on_over(). */
enum queue_cause {
	QUEUE_CAUSE_NONE,
	/* Final, whatever the policy: */
	QUEUE_FINISHED,
	QUEUE_FAILED,     /* no engine could say it: failed, with the reason given */
	QUEUE_WITHDRAWN,  /* cancelled, withdrawn */
	QUEUE_STOPPED,    /* cancelled, stopped */
	QUEUE_SKIPPED,    /* cancelled, stopped */
	QUEUE_SUPERSEDED, /* superseded */
	QUEUE_EXPIRED,    /* expired, with the reason that held it */
	QUEUE_EVICTED,    /* expired, queue-full: the lowest and oldest made room */
	QUEUE_POISON,     /* failed, engine: the process died with it in hand, again and again */
	/* Cut off; goes on by its policy; with `drop`: cancelled, and … */
	QUEUE_PREEMPTED, /* … no reason */
	QUEUE_MUTED,     /* … muted */
	QUEUE_QUIET,     /* … quiet-hours */
	QUEUE_LOST,      /* … output-lost */
	QUEUE_SHUTDOWN,  /* … no reason: the node stops */
	QUEUE_CRASHED,   /* … no reason: the process has died while it was on air */
	/* Was only being prepared; waits again without a word (if it is heard nevertheless, before
	 * the fade takes hold, it has been preempted): */
	QUEUE_RECALLED,
	QUEUE_CAUSES_COUNT,
};
const char *queue_cause_name(enum queue_cause cause);
bool queue_cause_final(enum queue_cause cause);

struct queue_position {    /* how far it came */
	uint32_t item;     /* of the rundown */
	int64_t offset_us; /* within the item (recordings) */
	int64_t played_us; /* heard before that */
};

/* What of an entry is on air at a time: from `from` on, since begun_us. */
struct queue_run {
	int64_t begun_us; /* real; TIME_UNSET: nobody else is in step with it */
	int64_t left_us;  /* predicted length of what was left to say then; 0: not known */
	struct queue_position from;
};

/* The queue's own: where an entry fits between quiet hours. Asked for an instant in [from_us,
 * last_us], the answer is first_us, or that instant if it is later. Kept, because it costs a look
 * into the calendar, and is asked of each entry at each decision. */
struct queue_fit {
	int64_t remaining_us; /* for this length */
	int64_t from_us, first_us, last_us;
};

struct queue_entry {
	struct announcement *announcement; /* a reference of the entry's own */
	int64_t arrival_us;                /* real */
	uint64_t sequence;                 /* order of arrival, also over restarts */
	enum queue_phase phase;
	enum queue_cause cause; /* ENDING, or of what waits again: why it was cut off */
	bool durable;
	bool primed;                /* PREPARING: the first sound is there */
	bool was_on_air;            /* now or before: what follows is a resumption */
	bool media_missing;         /* it is prepared without its recording */
	bool passes_quiet;          /* an emergency that was begun in quiet hours, */
	bool passes_limit;          /* or above a limit */
	double seconds;             /* predicted length of the whole; 0: not known; the caller
				     * may correct it */
	struct queue_position from; /* where to begin, or to go on */
	uint32_t tries;             /* the caller's to count: how often a process died with it */
	bool in_time; /* of an occurrence that waits: somebody was there at its start; the caller
		       * sets it of what is restored */
	bool waited;  /* it was here at its start and waited for something else; likewise */
	bool joins;   /* PREPARING, ON_AIR: not from `from`, but in step with `run` */
	struct queue_run run; /* the last one; of what is restored the caller sets it */
	bool alone;           /* the others had said it before it could begin here */
	bool left_alone;      /* dropped, since others are saying it */
	int64_t start_us;     /* PREPARING: real, when it is to begin; TIME_UNSET: at once */
	int64_t started_us;   /* real; heard this time from then on; TIME_UNSET: not heard */

	/* The queue's own: */
	int64_t skipped_us, missed_us; /* of the whole: not to be said; and was not */
	int64_t counted_us;       /* on air: its sound is in the usage up to here; TIME_UNSET */
	enum reason drop_reason;  /* of what is to be dropped, where its cause leaves it open */
	struct queue_entry *next; /* of what is to be dropped */
	struct queue_fit fits[2];
};

struct queue_config { /* borrowed parts must outlive the queue */
	int64_t gap_us;
	const struct hours_list *quiet;    /* NULL: none */
	const struct usage_limits *limits; /* NULL: none */
	enum queue_join join;
};

struct queue;

struct queue *queue_new(const struct queue_config *config) _must_check_;
struct queue *queue_free(struct queue *queue);
DEFINE_CLEANUP(struct queue *, queue_free)
/* Frees an entry that a decision or an outcome has given away; NULL. */
struct queue_entry *queue_entry_free(struct queue_entry *entry);
DEFINE_CLEANUP(struct queue_entry *, queue_entry_free)

/* --- Facts: what comes in ---------------------------------------------------------------------
 * After each of them, and after anything in struct queue_now has changed, call queue_next(). */

struct queue_offer {
	struct announcement *announcement; /* the queue takes a reference of its own */
	int64_t arrival_us;
	uint64_t sequence;
	double seconds; /* predicted */
	bool durable;
	bool waited; /* it came when it came, to all: nobody else has begun it in time */
};
/* Adds. Older revisions of the id end as superseded. Full: the lowest and oldest that waits is
 * evicted, of its own kind (emergencies, all others); -ENOSPC when that would be the newcomer
 * itself. -EEXIST: the same or a newer revision is here (and not ending). *ret_entry may be NULL. */
int queue_add(struct queue *queue, const struct queue_offer *offer,
	struct queue_entry **ret_entry) _must_check_;
/* Adds what the store had. `was_on_air`: the process died (or the node stopped) while it was on
 * air; with the policy `drop` it will be dropped, with `restart` `from` is passed over. Never refuses:
 * there were never more than fit. NULL: the id is here already. Borrowed until the next call. */
struct queue_entry *queue_restore(struct queue *queue, const struct queue_offer *offer,
	bool was_on_air, const struct queue_position *from, uint32_t tries);

/* The newest entry of `id` that is not ending for good, or NULL. Borrowed until the next call. */
struct queue_entry *queue_find(const struct queue *queue, const char *id);
/* It is on disk now, in all revisions that are here. */
void queue_set_durable(struct queue *queue, const char *id);

/* Ends what has this id and at most this revision, waiting or not. Returns how many. */
size_t queue_withdraw(struct queue *queue, const char *id, int64_t revision);
/* Ends all but what has a start later than `real_us` and was never on air. */
void queue_stop(struct queue *queue, int64_t real_us);
/* Ends what is on air, else what is being prepared: of the foreground, else of the background. */
void queue_skip(struct queue *queue);
void queue_mute(struct queue *queue, bool muted);
bool queue_muted(const struct queue *queue);
/* The node stops: everything ends, and is kept. */
void queue_shutdown(struct queue *queue);
/* Somebody has set the clock: what is only being prepared is recalled (but an emergency that is to
 * begin at once), gaps are forgotten. */
void queue_on_clock_set(struct queue *queue);

/* --- Facts: of what is being played ------------------------------------------------------------ */

/* Its first sound is ready to be heard. */
void queue_on_primed(struct queue *queue, struct queue_entry *entry);
/* Its first sound has been heard at `real_us` (also when it is ending already). */
void queue_on_started(struct queue *queue, struct queue_entry *entry, int64_t real_us);
/* It has been heard up to here, at `real_us`: for the usage, and for what the store should know.
 * `position.played_us` counts from the very beginning. */
void queue_on_position(struct queue *queue, struct queue_entry *entry,
	const struct queue_position *position, int64_t real_us);

struct queue_over {
	enum queue_cause cause; /* FINISHED, FAILED or LOST; NONE: it ended because it was faded
				 * (if nobody asked for that, it counts as LOST) */
	enum reason reason;     /* FAILED: why */
	struct queue_position position; /* where it would go on; item UINT32_MAX: all was said */
	int64_t ended_us;               /* real; its last sound; TIME_UNSET: it was never heard */
	int64_t in_step_us; /* real; its start and its length: when its last sound was due on every
			     * output that began with it. The gap behind it counts from there, so that
			     * what follows keeps step, too; 0: from ended_us */
	bool passed; /* it came in late, and all of it had been said: it waits again, to be said whole */
};

/* What became of it: a receipt to be written, if any. */
struct queue_outcome {
	bool tell;                /* there is something to tell: always of what is gone */
	enum receipt_event event; /* interrupted, finished, cancelled, … */
	enum reason reason;
	enum queue_cause cause;
	struct queue_entry *gone; /* the caller's now; NULL: it waits again */
};

/* Its broadcast is over. What the world says (finished, failed, lost) yields to a final cause that
 * the queue has given it already, and a cause that only cuts off yields to `finished`: it was heard
 * to its end. What was cut off after all had been said (item UINT32_MAX) has finished. */
struct queue_outcome queue_on_over(
	struct queue *queue, struct queue_entry *entry, const struct queue_over *over) _must_check_;

/* --- Decisions ---------------------------------------------------------------------------------- */

enum queue_media {           /* of an announcement's recordings: the greatest of theirs */
	QUEUE_MEDIA_SETTLED, /* it is here, or it is known that it will not come */
	QUEUE_MEDIA_COMING, /* it may come: waited for until QUEUE_MEDIA_GRACE_US after it was due */
	QUEUE_MEDIA_NEAR,   /* it will soon be known: waited for */
};

struct queue_now {
	int64_t real_us;
	bool trusted;         /* scheduler/trust */
	int64_t last_seen_us; /* the latest time that was trusted, also by processes before */
	bool output_ready;    /* the device can play */
	/* Asked only of what has a recording and is due. NULL: settled. */
	enum queue_media (*media)(const struct announcement *announcement, void *context);
	void *context;
};

struct queue_decision {
	enum queue_do {
		QUEUE_DO_NOTHING,
		QUEUE_DO_PREPARE, /* make a broadcast of `entry`, from entry->from, for
				   * entry->start_us; answer with primed, started, over */
		QUEUE_DO_FADE, /* end the broadcast of `entry` (entry->cause); answer with over */
		QUEUE_DO_DROP, /* `entry` is the caller's now: tell `event` and `reason` */
	} what;
	struct queue_entry *entry;
	enum receipt_event event;
	enum reason reason;
	int64_t wake_us; /* QUEUE_DO_NOTHING: ask again then (real, later than now); TIME_NEVER */
};

/* The next thing to do; the queue has taken note of it. To be asked until NOTHING. */
struct queue_decision queue_next(struct queue *queue, const struct queue_now *now) _must_check_;

/* Whether, since this was asked last, an occurrence that waits was found to be in time: then the caller
 * keeps the time on disk, that a restart knows it. */
bool queue_take_in_time(struct queue *queue);

/* The background is to be ducked now: something of the foreground is heard. */
bool queue_ducks(const struct queue *queue);

/* --- Looking ------------------------------------------------------------------------------------ */

enum queue_wait {          /* why an entry waits, for the queue topic; queue_wait_name() */
	QUEUE_WAIT_NONE,   /* it is next */
	QUEUE_WAIT_START,  /* its start has not come */
	QUEUE_WAIT_BEHIND, /* others go first */
	QUEUE_WAIT_STORE,  /* not on disk yet */
	QUEUE_WAIT_CLOCK,  /* time is not trusted */
	QUEUE_WAIT_OUTPUT, /* the output is lost */
	QUEUE_WAIT_MUTED,
	QUEUE_WAIT_MEDIA, /* its recording is on its way */
	QUEUE_WAIT_QUIET, /* quiet hours */
	QUEUE_WAIT_LIMIT, /* minutes or sessions of the day */
};
const char *queue_wait_name(enum queue_wait wait);

/* Entries that wait or are being prepared: nothing of them is heard now. */
size_t queue_length(const struct queue *queue);
/* Of these, those that have been prepared first, then in order, with why each waits; fills at most
 * `max`, returns how many. */
size_t queue_list(const struct queue *queue, const struct queue_now *now,
	const struct queue_entry **ret_entries, enum queue_wait *ret_waits, size_t max);
/* What is on air in the foreground, else in the background; NULL. */
const struct queue_entry *queue_on_air(const struct queue *queue);
/* Nothing is being prepared, on air or ending. */
bool queue_idle(const struct queue *queue);

/* What it has sounded today; to be kept by the store (usage_format()). */
const struct usage *queue_usage(const struct queue *queue);
void queue_set_usage(struct queue *queue, const struct usage *usage);
