/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalang read: the words that would be spoken. Needs no broker. */
#include "cli/command.h"
#include "cli/input.h"
#include "cli/warnings.h"
#include "tts/reading_format.h"
#include <string.h>

struct read_options {
	bool lines;
};

static const struct option_spec options_of_read[] = {
	{ "lines", 'l', OPTION_FLAG, offsetof(struct read_options, lines),
		.help = "mỗi dòng vào một dòng ra" },
	{ 0 },
};

/* A line that says nothing: an object where objects are asked for, so that no line is missing. */
static void print_refusal(
	const struct session *session, enum reading_refusal refusal, const char *detail)
{
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	if (session->global.json)
		reading_format_refusal(&out, refusal, detail);
	puts(out.text ? out.text : "");
}

static void print_reading(const struct session *session, const struct reading *reading)
{
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	if (session->global.json)
		reading_format(&out, reading);
	puts(out.text ? out.text : reading->spoken);
}

/* `line`: its number, or 0 for a text that is read whole. False if it was refused. */
static bool read_one(const struct session *session, const char *text, size_t length, size_t line)
{
	const struct reading_config config = config_reading(session->config, NULL, NULL, -1);
	_cleanup_(reading_freep) struct reading *reading = NULL;
	enum reading_refusal refusal = READING_FINE;
	struct error error;

	if (reading_new(text, length, &config, &reading, &refusal, &error) < 0) {
		if (line > 0) {
			complain(session, "dòng %zu: %s", line, error.text);
			print_refusal(session, refusal, error.text);
		} else {
			complain(session, "%s", error.text);
		}
		return false;
	}
	print_reading(session, reading);
	warnings_print(session, reading, line);
	return true;
}

/* Each line of `text`, or of standard input while it comes. An empty line gives an empty line. */
static bool read_lines(const struct session *session, FILE *input)
{
	_cleanup_(freep) char *line = NULL;
	size_t size = 0, number = 0;
	bool fine = true;

	/* A line out for each line in, also to a program that waits for it before the next. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (ssize_t length; (length = getline(&line, &size, input)) > 0;) {
		number++;
		if (line[length - 1] == '\n')
			line[--length] = '\0';
		if (length > 0 && line[length - 1] == '\r')
			line[--length] = '\0';
		if (length == 0)
			print_refusal(session, READING_EMPTY, "dòng trống");
		else if (!read_one(session, line, (size_t)length, number))
			fine = false;
	}
	if (ferror(input)) {
		complain(session, "không đọc được đầu vào");
		return false;
	}
	return fine;
}

static bool read_lines_of(const struct session *session, const char *argument)
{
	if (!argument || strcmp(argument, "-") == 0)
		return read_lines(session, stdin);
	_cleanup_(freep) char *text = xstrdup(argument);
	if (*text == '\0')
		return read_one(session, text, 0, 1);
	_cleanup_(fclosep) FILE *input = fmemopen(text, strlen(text), "r");
	return input && read_lines(session, input);
}

static enum cli_status run_read(struct session *session, int argc, char **argv)
{
	struct read_options options = { 0 };
	enum cli_status status;
	struct error error;
	size_t length = 0;

	if (!session_open(session, argc, argv, &options, &status))
		return status;
	const char *argument = session->count > 0 ? session->arguments[0] : NULL;
	if (options.lines)
		return read_lines_of(session, argument) ? CLI_DONE : CLI_REFUSED;
	_cleanup_(freep) char *text = input_text(argument, READING_TEXT_BYTES_MAX, &length, &error);
	if (!text) {
		complain(session, "%s", error.text);
		return CLI_REFUSED;
	}
	return read_one(session, text, length, 0) ? CLI_DONE : CLI_REFUSED;
}

const struct command command_read = {
	.name = "read",
	.arguments = "[NỘI-DUNG|-]",
	.summary = "In những lời sẽ được đọc (không cần broker)",
	.options = options_of_read,
	.offline = true,
	.maximum = 1,
	.run = run_read,
};
