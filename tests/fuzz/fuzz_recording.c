/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A recording from anywhere: read to its end or to an error, from its beginning and from a place in
 * it, within the limits, and no crash (FAULTS B6). */
#include "audio/recording.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SECONDS_MAX 30 /* a small file may hold hours of nothing; they say nothing new */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
const char *__lsan_default_suppressions(void);

/* libsndfile 1.2.0 forgets a few kilobytes of some broken ogg files. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libsndfile\nleak:libvorbis\nleak:libogg\nleak:libFLAC\nleak:libopus\n"
	       "leak:libmpg123\n";
}

static void read_all(const char *path, double from)
{
	static const struct recording_limits limits = { RECORDING_BYTES_MAX, SECONDS_MAX };
	_cleanup_(recording_freep) struct recording *recording = NULL;
	static float frames[1024];
	uint64_t count = 0;

	if (recording_open(path, &limits, &recording, NULL) < 0)
		return;
	double seconds = recording_seconds(recording);
	if (from > 0 && recording_seek(recording, (int64_t)(from * seconds * 1e6), NULL) < 0)
		return;
	for (long got; (got = recording_read(recording, frames, countof(frames), NULL)) > 0;)
		count += (uint64_t)got;
	if (count > (uint64_t)(SECONDS_MAX + 1) * recording_rate_hz(recording))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	_cleanup_(closep) int fd = memfd_create("recording", MFD_CLOEXEC);
	char path[40];

	if (fd < 0 || write(fd, bytes, count) != (ssize_t)count)
		return 0;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	read_all(path, 0);
	read_all(path, 0.6);
	return 0;
}
