/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/media_folder.h"
#include "audio/recording.h"
#include "base/clock.h"
#include "base/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define HALF_WRITTEN ".part" /* after the SHA-256, while it is being written */
#define BLOCK_BYTES  (64 * 1024)

static char *path_of(const char *folder, const char *sha256, const char *ending)
{
	return xasprintf("%s/%s%s", folder, sha256, ending);
}

/* --- Listing --------------------------------------------------------------------------------- */

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* The folder above it is the node's `state_dir`, which the store makes as well. */
static int make_folder(const char *folder, struct error *error)
{
	_cleanup_(freep) char *above = xstrdup(folder);
	char *slash = strrchr(above, '/');

	if (slash && slash != above) {
		*slash = '\0';
		(void)mkdir(above, 0750); /* shows below */
	}
	if (mkdir(folder, 0750) < 0 && errno != EEXIST)
		return error_set(
			error, -errno, "%s: không tạo được thư mục: %s", folder, strerror(errno));
	return 0;
}

static bool is_half_written(const char *name)
{
	char sha256[SHA256_TEXT_SIZE] = "";

	if (strlen(name) != SHA256_TEXT_SIZE - 1 + strlen(HALF_WRITTEN))
		return false;
	memcpy(sha256, name, SHA256_TEXT_SIZE - 1);
	return sha256_valid(sha256) && strcmp(name + SHA256_TEXT_SIZE - 1, HALF_WRITTEN) == 0;
}

static int compare_use(const void *one, const void *other)
{
	const struct media_file *a = one, *b = other;

	return a->used_us < b->used_us ? -1 : a->used_us > b->used_us;
}

/* False: not one of ours. */
static bool look_at(int folder_fd, const char *name, struct media_file *ret_file)
{
	struct stat status;

	if (!sha256_valid(name) || fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(status.st_mode))
		return false;
	memcpy(ret_file->sha256, name, SHA256_TEXT_SIZE);
	ret_file->bytes = status.st_size;
	ret_file->used_us = status.st_mtim.tv_sec * US_PER_SEC + status.st_mtim.tv_nsec / 1000;
	return true;
}

int media_folder_list(
	const char *folder, struct media_file **ret_files, size_t *ret_count, struct error *error)
{
	int result = make_folder(folder, error);

	if (result < 0)
		return result;
	_cleanup_(closedirp) DIR *dir = opendir(folder);
	if (!dir)
		return error_set(
			error, -errno, "%s: không mở được thư mục: %s", folder, strerror(errno));
	_cleanup_(freep) struct media_file *files = xcalloc(MEDIA_FOLDER_FILES_MAX, sizeof *files);
	size_t count = 0;
	for (const struct dirent *entry;
		count < MEDIA_FOLDER_FILES_MAX && (entry = readdir(dir));) {
		if (is_half_written(entry->d_name))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
		else
			count += look_at(dirfd(dir), entry->d_name, &files[count]);
	}
	qsort(files, count, sizeof *files, compare_use);
	*ret_files = xreallocarray(hand_over(files), count ? count : 1, sizeof *files);
	*ret_count = count;
	return 0;
}

/* --- Writing --------------------------------------------------------------------------------- */

/* The length of what lies at `path`, if it is a recording. */
static int measure(const char *path, double *ret_seconds, struct error *error)
{
	_cleanup_(recording_freep) struct recording *recording = NULL;
	int result = recording_open(path, &recording_limits, &recording, error);

	if (result == 0)
		*ret_seconds = recording_seconds(recording);
	return result == -EINVAL || result == -EFBIG ? -EBADMSG : result;
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

static int sync_folder(const char *folder)
{
	_cleanup_(closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Writes it all under `path`, checks that it is a recording, and that it is on the disk. */
static int write_checked(const char *path, const void *bytes, size_t length, double *ret_seconds,
	struct error *error)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	int result = fd < 0 ? -errno : write_all(fd, bytes, length);

	if (result == 0)
		result = measure(path, ret_seconds, error);
	if (result == -EBADMSG)
		return result;
	if (result == 0 && fsync(fd) < 0)
		result = -errno;
	if (result < 0)
		return error_set(error, result, "%s: không ghi được: %s", path, strerror(-result));
	return 0;
}

int media_folder_write(const char *folder, const char *sha256, const void *bytes, size_t length,
	double *ret_seconds, struct error *error)
{
	_cleanup_(freep) char *half = path_of(folder, sha256, HALF_WRITTEN);
	_cleanup_(freep) char *path = path_of(folder, sha256, "");
	char found[SHA256_TEXT_SIZE];
	double seconds = 0;

	sha256_text(bytes, length, found);
	if (strcmp(found, sha256) != 0)
		return error_set(error, -EBADMSG,
			"bản ghi âm không đúng với mã băm của nó (%zu byte, mã băm %s)", length,
			found);
	int result = make_folder(folder, error);
	if (result < 0)
		return result;
	result = write_checked(half, bytes, length, &seconds, error);
	if (result == 0 && (rename(half, path) < 0 || sync_folder(folder) < 0))
		result = error_set(error, -errno, "%s: không ghi được: %s", path, strerror(errno));
	if (result < 0) {
		(void)unlink(half);
		return result;
	}
	*ret_seconds = seconds;
	return 0;
}

/* --- What lies there -------------------------------------------------------------------------- */

static int sum_of(const char *path, const atomic_bool *stop, char ret_hex[SHA256_TEXT_SIZE])
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_(sha256_freep) struct sha256 *sum = sha256_new();
	_cleanup_(freep) char *block = xcalloc(BLOCK_BYTES, 1);
	ssize_t got = fd < 0 ? -1 : 0;

	while (fd >= 0 && (got = read(fd, block, BLOCK_BYTES)) > 0) {
		sha256_add(sum, block, (size_t)got);
		if (atomic_load(stop))
			return -ECANCELED;
	}
	if (got < 0)
		return -errno;
	sha256_finish(sum, ret_hex);
	return 0;
}

int media_folder_verify(const char *folder, const char *sha256, const atomic_bool *stop,
	double *ret_seconds, struct error *error)
{
	_cleanup_(freep) char *path = path_of(folder, sha256, "");
	char found[SHA256_TEXT_SIZE];

	int result = sum_of(path, stop, found);
	if (result == -ECANCELED)
		return result;
	if (result < 0)
		return error_set(error, result, "%s: không đọc được: %s", path, strerror(-result));
	if (strcmp(found, sha256) != 0)
		result = error_set(
			error, -EBADMSG, "%s: bản ghi âm đã hỏng trên đĩa, phải lấy lại", path);
	else
		result = measure(path, ret_seconds, error);
	if (result == -EBADMSG)
		(void)unlink(path);
	return result;
}

void media_folder_touch(const char *folder, const char *sha256)
{
	_cleanup_(freep) char *path = path_of(folder, sha256, "");

	/* A disk that cannot be written keeps the old order of use. */
	(void)utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}

void media_folder_remove(const char *folder, const char *sha256)
{
	_cleanup_(freep) char *path = path_of(folder, sha256, "");

	(void)unlink(path);
}
