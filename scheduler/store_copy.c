/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store_copy.h"
#include "base/strbuf.h"
#include "scheduler/store_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE_BYTES 16384

bool store_copy_helps(int result)
{
	return result == -EROFS || result == -ENOSPC || result == -EACCES || result == -EIO;
}

static int open_source(const char *folder, const char *name)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", folder, name);
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	return S_ISREG(status.st_mode) ? hand_over_fd(&fd) : -EINVAL;
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

/* `left_bytes`: of the limit; counted down. */
static int copy_bytes(int from, int to, size_t *left_bytes)
{
	char piece[PIECE_BYTES];

	for (;;) {
		ssize_t length = read(from, piece, sizeof piece);
		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return length < 0 ? -errno : 0;
		if ((size_t)length > *left_bytes)
			return -EFBIG;
		*left_bytes -= (size_t)length;
		int result = write_all(to, piece, (size_t)length);
		if (result < 0)
			return result;
	}
}

static int copy_file(const char *from_folder, const char *from_name, const char *to_folder,
	const char *to_name, size_t *left_bytes)
{
	_cleanup_(freep) char *to_path = xasprintf("%s/%s", to_folder, to_name);
	_cleanup_(closep) int from = open_source(from_folder, from_name);

	if (from < 0)
		return from;
	_cleanup_(closep) int to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return to < 0 ? -errno : copy_bytes(from, to, left_bytes);
}

/* A file with the name of one that is ready to take the store's place is the store (store_file.c);
 * the log is that of the old one then. */
static int copy_store(const char *state_dir, const char *folder)
{
	size_t left_bytes = STORE_COPY_BYTES_MAX;
	int result = copy_file(
		state_dir, STORE_FILE_NAME ".ready", folder, STORE_FILE_NAME, &left_bytes);

	if (result != -ENOENT)
		return result;
	result = copy_file(state_dir, STORE_FILE_NAME, folder, STORE_FILE_NAME, &left_bytes);
	if (result < 0)
		return result;
	result = copy_file(
		state_dir, STORE_FILE_NAME "-wal", folder, STORE_FILE_NAME "-wal", &left_bytes);
	return result == -ENOENT ? 0 : result;
}

/* A private folder below `place`; NULL with errno. */
static char *folder_new(const char *place)
{
	_cleanup_(freep) char *folder = xasprintf("%s/loalang-store-XXXXXX", place);

	return mkdtemp(folder) ? hand_over(folder) : NULL;
}

/* With all that is in it: SQLite's files too, and what was made of a damaged copy. */
static char *folder_remove(char *folder)
{
	DIR *entries = opendir(folder);

	for (struct dirent *entry; entries && (entry = readdir(entries));)
		(void)unlinkat(dirfd(entries), entry->d_name, 0); /* not "." and ".." */
	if (entries)
		closedir(entries);
	(void)rmdir(folder);
	free(folder);
	return NULL;
}
DEFINE_CLEANUP(char *, folder_remove)

static int load_folder(const char *folder, struct store_event *event, struct error *error)
{
	_cleanup_(store_file_closep) struct store_file *file = NULL;
	int result = store_file_open(folder, &file, error);

	return result == 0 ? store_file_load(file, event, error) : result;
}

/* The first place that takes the whole copy. */
static char *make_copy(const char *state_dir, int *ret_result)
{
	const char *const places[] = { getenv("TMPDIR"), "/run", "/tmp", "/dev/shm" };
	int result = -ENOENT;

	for (size_t i = 0; i < countof(places); i++) {
		if (!places[i] || places[i][0] != '/')
			continue;
		_cleanup_(folder_removep) char *folder = folder_new(places[i]);
		result = folder ? copy_store(state_dir, folder) : -errno;
		if (result == 0)
			return hand_over(folder);
		if (result == -ENOENT && folder) /* there is nothing to copy */
			break;
	}
	*ret_result = result;
	return NULL;
}

int store_copy_load(const char *state_dir, struct store_event *event, struct error *error)
{
	int result = 0;
	_cleanup_(folder_removep) char *folder = make_copy(state_dir, &result);

	return folder ? load_folder(folder, event, error)
		      : error_set(error, result, "%s/%s: không sao chép được: %s", state_dir,
				STORE_FILE_NAME, strerror(-result));
}
