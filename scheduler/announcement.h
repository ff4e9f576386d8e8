/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An announcement: something to be said once (docs/PROTOCOL.md, "An announcement"). Decoded
 * strictly from JSON or made of plain text; complete after decoding: every default that does not
 * depend on an output has been filled in, instants are absolute. Immutable once made, counted by
 * reference; any thread may read, only the owner's thread counts.
 *
 * What is said is a list of parts. A payload has a text, a recording, or both (the recording after
 * the text); a schedule's template may have more of them, so that a broadcast with its opening tune,
 * its news and its closing tune is one announcement, which is cut off and goes on as one.
 */
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/name.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANNOUNCEMENT_PAYLOAD_MAX           (64 * 1024) /* bytes */
#define ANNOUNCEMENT_TEXT_MAX              20000       /* characters, of all parts together */
#define ANNOUNCEMENT_PARTS_MAX             32
#define ANNOUNCEMENT_PAUSE_MIN_US          (100 * US_PER_MS)
#define ANNOUNCEMENT_PAUSE_MAX_US          (INT64_C(600) * US_PER_SEC)
#define ANNOUNCEMENT_TITLE_MAX             200 /* characters */
#define ANNOUNCEMENT_REPEAT_MAX            10
#define ANNOUNCEMENT_REVISION_MAX          (INT64_C(1) << 53) /* what every JSON reader holds exactly */
#define ANNOUNCEMENT_REPEAT_GAP_DEFAULT_US (2 * US_PER_SEC)
#define ANNOUNCEMENT_REPEAT_GAP_MAX_US     (INT64_C(600) * US_PER_SEC)
#define ANNOUNCEMENT_EMERGENCY_TIMES       3 /* an emergency is said this often unless told otherwise */
#define ANNOUNCEMENT_EXPIRES_DEFAULT_US    (INT64_C(3600) * US_PER_SEC)
#define ANNOUNCEMENT_EXPIRES_AFTER_MIN_US  US_PER_SEC /* of a template */
#define ANNOUNCEMENT_EXPIRES_AFTER_MAX_US  (INT64_C(7) * 86400 * US_PER_SEC)
/* Instants of an announcement lie in [MIN, MAX): 1970-01-02 and 2199-01-01, so that no time zone
 * and no default carries one out of what RFC 3339 text can say here. */
#define ANNOUNCEMENT_TIME_MIN_US (INT64_C(86400) * US_PER_SEC)
#define ANNOUNCEMENT_TIME_MAX_US (INT64_C(7226582400) * US_PER_SEC)
#define ID_MAX_BYTES             96 /* a name, or a schedule's name with "@" and the time of an occurrence */

enum priority { PRIORITY_BACKGROUND, PRIORITY_NORMAL, PRIORITY_PRIORITY, PRIORITY_EMERGENCY };
#define PRIORITIES_COUNT 4
extern const char *const priority_names[PRIORITIES_COUNT + 1]; /* by enum priority, then NULL */
const char *priority_name(enum priority priority);
int priority_parse(const char *text, enum priority *ret_priority) _must_check_; /* -EINVAL */

enum interrupted { INTERRUPTED_RESUME, INTERRUPTED_RESTART, INTERRUPTED_DROP };
extern const char *const interrupted_names[]; /* by enum interrupted, then NULL */

enum reason { /* why, in receipts; reason_name() gives the word of the protocol */
	REASON_NONE,
	REASON_BAD_JSON,
	REASON_UNKNOWN_KEY,
	REASON_BAD_VALUE,
	REASON_TOO_LONG,
	REASON_TOO_LARGE,
	REASON_EMPTY,
	REASON_DUPLICATE,
	REASON_EXPIRED,
	REASON_QUIET_HOURS,
	REASON_LIMIT,
	REASON_MUTED,
	REASON_QUEUE_FULL,
	REASON_CLOCK,
	REASON_ENGINE,
	REASON_OUTPUT_LOST,
	REASON_MEDIA_MISSING,
	REASON_WITHDRAWN,
	REASON_STOPPED,
	REASON_RETAINED_CONTROL,
};
const char *reason_name(enum reason reason); /* REASON_NONE: NULL */

enum announcement_part_what { ANNOUNCEMENT_TEXT, ANNOUNCEMENT_MEDIA, ANNOUNCEMENT_PAUSE };

struct announcement_part {
	enum announcement_part_what what;
	char *text;                   /* ANNOUNCEMENT_TEXT: as it was written; else NULL */
	char media[SHA256_TEXT_SIZE]; /* ANNOUNCEMENT_MEDIA: of a recording; else "" */
	int64_t pause_us; /* ANNOUNCEMENT_PAUSE: silence, in whole milliseconds; else 0 */
};

struct announcement {
	unsigned references;
	char id[ID_MAX_BYTES + 1];
	int64_t revision; /* >= 1 */
	bool withdrawal;  /* {"withdrawn": true, "revision": N}: only id and revision are meant */
	char *title;      /* NULL: none */
	struct announcement_part *parts; /* in order; a text or a recording among them */
	size_t parts_count;              /* ≤ ANNOUNCEMENT_PARTS_MAX */
	enum priority priority;
	int64_t start_us;   /* real; TIME_UNSET: at once */
	int64_t expires_us; /* real */
	int repeat_times;   /* 1…ANNOUNCEMENT_REPEAT_MAX */
	int64_t repeat_gap_us;
	char chime_open[NAME_MAX_BYTES + 1];  /* "": as the configuration says for the priority */
	char chime_close[NAME_MAX_BYTES + 1]; /* "none": none */
	char bed[NAME_MAX_BYTES + 1];
	char voice_engine[NAME_MAX_BYTES + 1]; /* "": the configured order */
	char *voice_name;                      /* NULL: the engine's configured voice */
	int voice_rate, voice_pitch;           /* -1: configured */
	double gain_db;                        /* −40…+12 */
	enum interrupted interrupted;
	char *issued_by;      /* NULL: unknown */
	int64_t issued_at_us; /* TIME_UNSET: unknown */
};

struct announcement_defaults {
	int64_t now_us;       /* arrival */
	int64_t sync_lead_us; /* start = issued_at + sync_lead */
};

/* Decodes JSON (first non-blank byte "{"; a BOM is passed over) or, for anything else, takes the
 * payload as the text itself. `topic_id` is the id in the topic, or NULL: then the id comes from
 * the JSON, or from `make_id`. NULL on refusal, with *ret_reason and *error (Vietnamese, naming
 * key and place). *ret_id (ID_MAX_BYTES + 1 bytes) always receives the id as far as it is known
 * (never `make_id` of something refused), else "". Instants and durations are cut to whole
 * milliseconds, gain to hundredths. What has expired already is accepted: the queue judges.
 * There is a text, or a recording (`media`), or both.
 * A withdrawal holds exactly `withdrawn` and `revision`, both required, and needs `topic_id`.
 * The text itself is judged by tts/reading. */
struct announcement *announcement_parse(const char *payload, size_t length, const char *topic_id,
	const char *make_id, const struct announcement_defaults *defaults, char *ret_id,
	enum reason *ret_reason, struct error *error) _must_check_;

/* Reads back what announcement_format() wrote of `id` (to the store); without the limit of a
 * payload, which the filled-in defaults may have passed, and with `parts`, which a payload may not
 * have. NULL with *error. */
struct announcement *announcement_load(
	const char *json, size_t length, const char *id, struct error *error) _must_check_;

/* As JSON with absolute times; announcement_load() of it gives an equal announcement. `text` and
 * `media` where they can say it, else `parts`. The caller frees. */
char *announcement_format(const struct announcement *announcement) _must_check_;

/* Whether the two say the same. Without a start the expiry is not compared: it may be the default,
 * which comes from the arrival. */
bool announcement_same(const struct announcement *a, const struct announcement *b);

struct announcement *announcement_ref(struct announcement *announcement);
struct announcement *announcement_unref(struct announcement *announcement); /* NULL; accepts NULL */
DEFINE_CLEANUP(struct announcement *, announcement_unref)

bool announcement_id_valid(const char *text, size_t length); /* a name, or an occurrence's id */

/* --- Parts ----------------------------------------------------------------------------------- */

/* Another part at the end, empty; only while the announcement is being made. Borrowed until the
 * next call. */
struct announcement_part *announcement_add_part(
	struct announcement *announcement, enum announcement_part_what what);
/* Whether `text` and `media` can say it: a text, a recording, or a text and then a recording. */
bool announcement_is_plain(const struct announcement *announcement);
bool announcement_has_text(const struct announcement *announcement);
bool announcement_has_media(const struct announcement *announcement);
/* Whether one of its recordings is that one. */
bool announcement_names_media(const struct announcement *announcement, const char *sha256);
/* The first text or recording at *at or after it, and *at behind it; NULL: no more. *at is 0 at the
 * beginning. Borrowed. */
const char *announcement_next_text(const struct announcement *announcement, size_t *at);
const char *announcement_next_media(const struct announcement *announcement, size_t *at);
/* The key of a text part in messages to people: "text", or "parts[3].text". */
#define ANNOUNCEMENT_KEY_SIZE 32
void announcement_text_key(
	const struct announcement *announcement, size_t part, char ret_key[ANNOUNCEMENT_KEY_SIZE]);

/* --- Templates --------------------------------------------------------------------------------
 * What a schedule's occurrences say: an announcement without id, revision and instants. */

/* Decodes the object `announcement` of a schedule: the keys of an announcement but id, revision,
 * start, expires and issued_at; and `parts` in the place of text and media, and `expires_after`.
 * NULL on refusal, with *ret_reason and *error (Vietnamese, naming key and place below `object`).
 * *ret_expires_after_us: ANNOUNCEMENT_EXPIRES_DEFAULT_US where nothing is said. */
struct announcement *announcement_parse_template(const struct json *object,
	int64_t *ret_expires_after_us, enum reason *ret_reason, struct error *error) _must_check_;
/* Writes it as that object; announcement_parse_template() of it gives an equal one. */
void announcement_write_template(struct strbuf *out, const char *key,
	const struct announcement *announcement, int64_t expires_after_us);
/* A copy with these. `id` is at most ID_MAX_BYTES long. */
struct announcement *announcement_occurrence(const struct announcement *template, const char *id,
	int64_t revision, int64_t start_us, int64_t expires_us) _must_check_;
