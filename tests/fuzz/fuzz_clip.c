/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chime from anywhere: decoded or refused, within the limits, and no crash (FAULTS B6). */
#include "audio/clip.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
const char *__lsan_default_suppressions(void);

/* libsndfile 1.2.0 forgets a few kilobytes of some broken ogg files. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libsndfile\nleak:libvorbis\nleak:libogg\nleak:libFLAC\nleak:libopus\n"
	       "leak:libmpg123\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	_cleanup_(closep) int fd = memfd_create("clip", MFD_CLOEXEC);
	struct clip clip = { 0 };
	char path[40];

	if (fd < 0 || write(fd, bytes, count) != (ssize_t)count)
		return 0;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (clip_load(path, 48000, &clip, NULL) < 0)
		return 0;
	if (clip.count == 0 || clip.count > (size_t)(CLIP_SECONDS_MAX + 1) * 48000 ||
		clip_tail_frame(&clip, -20.0) > clip.count)
		abort();
	clip_done(&clip);
	return 0;
}
