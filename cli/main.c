/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalang: the operator's command. One file for each sub-command; this one finds it. */
#include "base/nearest.h"
#include "cli/command.h"
#include <locale.h>
#include <signal.h>
#include <string.h>

static const struct command *const commands[] = {
	&command_say,
	&command_withdraw,
	&command_stop,
	&command_skip,
	&command_mute,
	&command_unmute,
	&command_status,
	&command_queue,
	&command_history,
	&command_plan,
	&command_schedule,
	&command_read,
	&command_render,
	&command_media,
};

static void print_usage(void)
{
	_cleanup_(strbuf_done) struct strbuf text = { 0 };

	strbuf_puts(&text, "Cách dùng: loalang [TÙY CHỌN]… LỆNH …\n\nLệnh:\n");
	for (size_t i = 0; i < countof(commands); i++)
		strbuf_printf(&text, "  %-10s  %s\n", commands[i]->name, commands[i]->summary);
	strbuf_puts(&text, "\nTùy chọn chung:\n");
	options_describe(global_options, &text);
	strbuf_puts(&text, "\nHướng dẫn từng lệnh: loalang LỆNH --help\n\nKết quả: 0 xong; 1 bị từ "
			   "chối hay thất bại; 2 sai cách dùng; 3 đã gửi nhưng có loa chưa trả "
			   "lời; 4 không nối được broker\n");
	fputs(text.text, stdout);
}

static const struct command *find_command(const struct session *session, const char *name)
{
	const char *names[countof(commands)];

	for (size_t i = 0; i < countof(commands); i++) {
		names[i] = commands[i]->name;
		if (strcmp(names[i], name) == 0)
			return commands[i];
	}
	const char *near = nearest(name, names, countof(names));
	if (near)
		complain(session, "không có lệnh “%.80s” (có phải “%s”?)", name, near);
	else
		complain(session, "không có lệnh “%.80s” (xem: loalang --help)", name);
	return NULL;
}

static enum cli_status run(struct session *session, int argc, char **argv)
{
	struct error error;
	int rest = 0;
	const struct option_set sets[2] = { { global_options, session }, { 0 } };

	if (options_parse(sets, argc, argv, true, &rest, &error) < 0) {
		complain(session, "%s", error.text);
		return CLI_USAGE;
	}
	if (session->global.version) {
		puts("loalang " LOALANG_VERSION);
		return CLI_DONE;
	}
	if (rest == argc && session->global.help) {
		print_usage();
		return CLI_DONE;
	}
	if (rest == argc) {
		complain(session, "thiếu lệnh (xem: loalang --help)");
		return CLI_USAGE;
	}
	const struct command *command = find_command(session, argv[rest]);
	if (!command)
		return CLI_USAGE;
	session->command = command;
	return command->run(session, argc - rest, argv + rest);
}

int main(int argc, char **argv)
{
	struct session session = { 0 };

	setlocale(LC_CTYPE, "C.UTF-8");
	/* A broker that closes its end must be an error to us, not a death. */
	signal(SIGPIPE, SIG_IGN);
	enum cli_status status = run(&session, argc, argv);
	config_free(session.config);
	/* A full disk under the output is a failure too. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "loalang: không ghi được kết quả ra\n");
		status = status == CLI_DONE ? CLI_REFUSED : status;
	}
	return (int)status;
}
