/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalangd: options, configuration, and away. */
#include "base/log.h"
#include "conf/config.h"
#include "daemon/node.h"
#include "daemon/version.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <string.h>
#include <time.h>

#define EXIT_BAD_CONFIG 1
#define EXIT_USAGE      2

static const char usage[] =
	"Cách dùng: loalangd [--config TỆP] [--check-config] [--version]\n"
	"\n"
	"Chạy một trạm loa làng ở tiền cảnh; ghi nhật ký vào journal hoặc stderr.\n"
	"\n"
	"  -c, --config TỆP    tệp cấu hình (mặc định " CONFIG_FILE_DEFAULT ")\n"
	"      --check-config  chỉ kiểm tra tệp cấu hình: 0 là đúng, 1 là có lỗi\n"
	"      --version       in phiên bản\n"
	"  -h, --help          in trợ giúp này\n";

struct options {
	const char *config_path;
	bool check_only;
};

/* -1: go on; else the exit status. */
static int parse_options(int argc, char *argv[], struct options *options)
{
	enum { OPTION_CHECK = 256, OPTION_VERSION };
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, OPTION_CHECK },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	*options = (struct options){ .config_path = CONFIG_FILE_DEFAULT };
	while ((option = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config_path = optarg;
			break;
		case OPTION_CHECK:
			options->check_only = true;
			break;
		case OPTION_VERSION:
			printf("loalangd %s\n", LOALANG_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "loalangd: thừa đối số \"%s\"\n%s", argv[optind], usage);
	return EXIT_USAGE;
}

static struct config *load(const char *path)
{
	struct config_problems problems = { 0 };
	struct config *config = config_load(path, true, &problems);

	for (size_t i = 0; i < problems.count; i++)
		fprintf(stderr, "%s\n", problems.list[i].text);
	config_problems_done(&problems);
	return config;
}

/* Nodes are small: give back what is free, and do not grow an arena for each thread. */
static void tame_memory(void)
{
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

int main(int argc, char *argv[])
{
	struct options options;

	int status = parse_options(argc, argv, &options);
	if (status >= 0)
		return status;
	struct config *config = load(options.config_path);
	if (!config)
		return EXIT_BAD_CONFIG;
	if (options.check_only) {
		printf("%s: cấu hình đúng (%zu loa)\n", options.config_path, config->outputs_count);
		config_free(config);
		return 0;
	}
	tame_memory();
	setenv("TZ", config->timezone, 1);
	tzset();
	if (log_set_level(config->log_level) < 0) /* the loader has checked it */
		return EXIT_BAD_CONFIG;
	status = node_run(config, options.config_path);
	if (status != NODE_RELOAD)
		return status;
	execv("/proc/self/exe", argv);
	log_error("cannot begin anew (%s), ending", strerror(errno));
	return 1;
}
