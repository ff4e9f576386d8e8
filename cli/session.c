/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/command.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#define GLOBAL(member) offsetof(struct session, global.member)
const struct option_spec global_options[] = {
	{ "config", 'c', OPTION_TEXT, GLOBAL(config), .value = "TỆP",
		.help = "tệp cấu hình (mặc định: " CONFIG_FILE_DEFAULT ")" },
	{ "site", '\0', OPTION_NAME, GLOBAL(site), .value = "XÃ",
		.help = "tên xã, thay cho tên trong cấu hình" },
	{ "host", '\0', OPTION_TEXT, GLOBAL(host), .value = "MÁY", .help = "máy chạy broker MQTT" },
	{ "port", '\0', OPTION_INTEGER, GLOBAL(port), 1, 65535, .value = "CỔNG",
		.help = "cổng của broker" },
	{ "json", '\0', OPTION_FLAG, GLOBAL(json), .help = "in từng dòng JSON thay cho bảng" },
	{ "help", 'h', OPTION_FLAG, GLOBAL(help), .help = "in hướng dẫn này" },
	{ "version", 'V', OPTION_FLAG, GLOBAL(version), .help = "in số phiên bản" },
	{ 0 },
};

void complain(const struct session *session, const char *format, ...)
{
	va_list arguments;

	if (session->command)
		fprintf(stderr, "loalang %s: ", session->command->name);
	else
		fputs("loalang: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

static void print_usage(const struct command *command)
{
	_cleanup_(strbuf_done) struct strbuf text = { 0 };

	strbuf_printf(&text, "Cách dùng: loalang %s [TÙY CHỌN]… %s\n\n%s.\n\n", command->name,
		command->arguments, command->summary);
	options_describe(command->options, &text);
	strbuf_puts(&text, "\nTùy chọn chung:\n");
	options_describe(global_options, &text);
	fputs(text.text, stdout);
}

static void print_problems(struct config_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		fprintf(stderr, "%s\n", problems->list[i].text);
	config_problems_done(problems);
}

static void replace(char **member, const char *text)
{
	free(*member);
	*member = xstrdup(text);
}

/* The default file need not be there, nor be readable for everybody; one that was named must. */
static struct config *load(const struct session *session)
{
	struct config_problems problems = { 0 };
	const char *path = session->global.config;

	struct config *config = config_load(path ? path : CONFIG_FILE_DEFAULT, false, &problems);
	if (config)
		return config;
	if (!path && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) {
		config_problems_done(&problems);
		return config_new_default();
	}
	print_problems(&problems);
	return NULL;
}

/* Whether the options and the arguments are right; says what is not. */
static bool check_usage(struct session *session, int argc, char **argv, void *options)
{
	const struct command *command = session->command;
	struct error error;
	int rest = 0;
	const struct option_set sets[2] = { { global_options, session },
		{ command->options, options } };

	if (options_parse(sets, argc, argv, false, &rest, &error) < 0) {
		complain(session, "%s", error.text);
		return false;
	}
	session->count = argc - rest;
	session->arguments = argv + rest;
	if (session->global.help || session->global.version)
		return true;
	if (session->count >= command->minimum && session->count <= command->maximum)
		return true;
	if (session->count < command->minimum)
		complain(session, "thiếu %s (xem: loalang %s --help)", command->arguments,
			command->name);
	else
		complain(session, "thừa “%.80s” (nội dung có dấu cách phải viết trong dấu nháy)",
			session->arguments[command->maximum]);
	return false;
}

bool session_has_site(const struct session *session)
{
	if (session->config->site)
		return true;
	complain(
		session, "chưa biết tên xã: cần --site, hoặc tệp cấu hình %s", CONFIG_FILE_DEFAULT);
	return false;
}

bool session_open(
	struct session *session, int argc, char **argv, void *options, enum cli_status *ret_status)
{
	*ret_status = CLI_USAGE;
	if (!check_usage(session, argc, argv, options))
		return false;
	if (session->global.help) {
		print_usage(session->command);
		*ret_status = CLI_DONE;
		return false;
	}
	session->config = load(session);
	if (!session->config)
		return false;
	if (session->global.site)
		replace(&session->config->site, session->global.site);
	if (session->global.host)
		replace(&session->config->mqtt.host, session->global.host);
	if (session->global.port)
		session->config->mqtt.port = session->global.port;
	if (!session->command->offline && !session_has_site(session))
		return false;
	/* Times are shown as the village's clocks show them. */
	setenv("TZ", session->config->timezone, 1);
	tzset();
	return true;
}
