/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loalang-synth: the espeak-ng worker. A process of its own because some texts abort libespeak-ng
 * (FAULTS A1); it knows nothing but the text and the voice of one request.
 */
#include "synth/service.h"
#include "synth/voice.h"

#include <getopt.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static int usage(FILE *stream, int status)
{
	fputs("Cách dùng: loalang-synth [--voice-path THƯ_MỤC]\n"
	      "Đọc yêu cầu Wyoming từ đầu vào chuẩn, ghi âm thanh ra đầu ra chuẩn.\n"
	      "  --voice-path THƯ_MỤC  nơi có thư mục espeak-ng-data\n"
	      "  --version             phiên bản\n",
		stream);
	return status;
}

/* A worker that aborts is expected: no core files; and nothing here ever needs more rights.
 * libespeak-ng prepares a sound output even when it only hands the sound over; where a PulseAudio
 * server answers it would connect to it and start a thread: send it where none is. */
static void confine(void)
{
	(void)setenv("PULSE_SERVER", "unix:/nonexistent", 1);
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "voice-path", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	const char *data_path = NULL;

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == 'p')
			data_path = optarg;
		else if (option == 'h')
			return usage(stdout, 0);
		else if (option == 'v')
			return printf("loalang-synth %s (espeak-ng %s)\n", LOALANG_VERSION,
				       voice_version()) < 0;
		else
			return usage(stderr, 2);
	}
	if (optind < argc)
		return usage(stderr, 2);

	confine();
	_cleanup_(voice_freep) struct voice *voice = NULL;
	struct error error;
	if (voice_new(data_path, &voice, &error) < 0) {
		fprintf(stderr, "loalang-synth: %s\n", error.text);
		return 1;
	}
	return service_run(voice, STDIN_FILENO, STDOUT_FILENO) < 0;
}
