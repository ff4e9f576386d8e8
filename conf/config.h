/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration of a node (docs/CONFIGURATION.md), read from a libconfig file by tables of
 * keys (conf/schema.c), from which the loader, the checks and the documentation come. All errors
 * of a file are found in one reading. The result is a value; modules get their part of it const.
 */
#pragma once

#include "audio/output.h"
#include "base/error.h"
#include "conf/broker.h"
#include "scheduler/hours.h"
#include "scheduler/usage.h"
#include "tts/engine.h"
#include "tts/reading.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_FILE_DEFAULT  "/etc/loalang/loalang.conf"
#define LEXICON_FILE_DEFAULT "/etc/loalang/lexicon.tsv" /* if it is there */
#define CONFIG_OUTPUTS_MAX   64
#define CONFIG_ZONES_MAX     16 /* of one output, besides `all` */
#define CONFIG_ENGINES_MAX   8

struct config_output {
	struct output_config sound;
	char **zones; /* NULL-terminated; without `all`, which every output has */
	size_t zones_count;
	char *join;                 /* scheduler/queue.h, queue_join_parse() */
	struct hours_list quiet;    /* only emergencies sound in them */
	struct hours_gains gains;   /* instead of sound.gain_db; no two overlap */
	struct usage_limits limits; /* item_minutes is never 0 */
};

struct config_chimes_of { /* names of files in chimes.dir without ending, or "none" */
	char *open, *close, *bed;
};

struct config {
	char *site, *node;
	char *timezone;
	char *state_dir;
	struct broker_config mqtt;
	struct config_output *outputs;
	size_t outputs_count;
	struct {
		struct engine_config *engines;
		size_t engines_count;
		int rate, pitch;
		int64_t sentence_pause_us;
		char *lexicon_path;      /* NULL: LEXICON_FILE_DEFAULT; "": none */
		struct lexicon *lexicon; /* what is in it; NULL: none */
	} speech;
	struct {
		char *dir;
		struct config_chimes_of by_priority[4]; /* index: enum priority */
	} chimes;
	int64_t sync_lead_us;
	int64_t late_us; /* an occurrence missed by more is not said, where its schedule says nothing */
	int64_t gap_us;
	bool clock_synchronised; /* the clock is trusted only when the kernel says that it is */
	int64_t history_us;      /* how long the history is kept */
	char *log_level;
};

/* What is wrong with a file: each with "FILE:LINE: …", in the order of the file. */
struct config_problems {
	struct error *list;
	size_t count;
};
void config_problems_done(struct config_problems *problems);

/* Reads and checks `path` and the lexicon it names. NULL with at least one problem; when the file could not be read at all,
 * errno says why (ENOENT, EACCES, …), else errno is 0. With `need_outputs` false (a command
 * that only talks to the broker) `outputs` and `node` may be absent. */
struct config *config_load(
	const char *path, bool need_outputs, struct config_problems *ret_problems) _must_check_;
/* The same for a text in memory; `name` stands for the path in the problems. Pure, but that the
 * time zone is looked up; so the lexicon is not read. */
struct config *config_parse(const char *name, const char *text, size_t length, bool need_outputs,
	struct config_problems *ret_problems) _must_check_;
/* The defaults, with no site, node and outputs: what commands use without a file. */
struct config *config_new_default(void) _must_check_;
struct config *config_free(struct config *config);
DEFINE_CLEANUP(struct config *, config_free)

/* How a text is to be read that is for the engine and the voice of these names, if any (NULL or "":
 * the first engine, its own voice), at `rate` (negative: the configured one). Borrows. */
struct reading_config config_reading(
	const struct config *config, const char *engine, const char *voice, int rate);

/* Path of a shipped file, found beside the build tree or where it is installed: "chimes",
 * "chimes/het.wav". The caller frees. NULL: not found. */
char *config_shipped_path(const char *relative) _must_check_;
/* NULL-terminated directories in which our own executables are; static storage. The first call
 * must come before threads are started. */
const char *const *config_helper_dirs(void);

/* The sound file of chime `name` ("none" or "": NULL) in `config->chimes.dir`: NAME.wav, .flac,
 * .ogg, .opus, .mp3, whichever exists first. The caller frees. NULL: none or not there. */
char *config_chime_path(const struct config *config, const char *name) _must_check_;
