/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/connection.h"
#include "base/strbuf.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

extern char **environ;

#define HOST_BYTES_MAX 253

/* --- A child -------------------------------------------------------------------------------------
 */

/* The program to start: the first that is executable in `helper_dirs`, else its plain name. */
static char *find_program(const char *name, const char *const *helper_dirs)
{
	if (!strchr(name, '/'))
		for (; helper_dirs && *helper_dirs; helper_dirs++) {
			_cleanup_(freep) char *path = xasprintf("%s/%s", *helper_dirs, name);
			if (access(path, X_OK) == 0)
				return hand_over(path);
		}
	return xstrdup(name);
}

/* Our signal mask (all blocked) and our handlers are not for the child. The group is its own, so
 * that a wrapper's children can be killed with it. */
static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	int error = posix_spawnattr_setsigdefault(attributes, &all);
	if (!error)
		error = posix_spawnattr_setsigmask(attributes, &none);
	if (!error)
		error = posix_spawnattr_setpgroup(attributes, 0);
	if (!error)
		error = posix_spawnattr_setflags(attributes,
			POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	return error;
}

static int spawn(const char *program, char *const argv[], int child_fd, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;

	int error = posix_spawn_file_actions_init(&actions);
	if (error)
		return -error;
	error = posix_spawnattr_init(&attributes);
	if (error) {
		posix_spawn_file_actions_destroy(&actions);
		return -error;
	}
	error = set_attributes(&attributes);
	if (!error)
		error = posix_spawn_file_actions_adddup2(&actions, child_fd, STDIN_FILENO);
	if (!error)
		error = posix_spawn_file_actions_adddup2(&actions, child_fd, STDOUT_FILENO);
	if (!error)
		error = posix_spawnp(ret_pid, program, &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -error;
}

int connection_spawn(char *const argv[], const char *const *helper_dirs,
	struct connection *ret_connection, struct error *error)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set(error, -errno, "không tạo được socket: %s", strerror(errno));
	_cleanup_(closep) int ours = pair[0];
	_cleanup_(closep) int theirs = pair[1];
	_cleanup_(freep) char *program = find_program(argv[0], helper_dirs);
	pid_t pid;
	int result = spawn(program, argv, theirs, &pid);
	if (result < 0)
		return error_set(
			error, result, "không chạy được “%s”: %s", program, strerror(-result));
	*ret_connection = (struct connection){ .fd = hand_over_fd(&ours), .pid = pid };
	return 0;
}

/* Whether the child has ended within `timeout_ms`; it is not reaped here. */
static bool child_ends(pid_t pid, int timeout_ms)
{
	_cleanup_(closep) int fd = pidfd_open(pid, 0);

	return fd >= 0 && poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, timeout_ms) > 0;
}

void connection_close(struct connection *connection, int grace_ms)
{
	if (connection->fd >= 0)
		close(connection->fd);
	if (connection->pid > 0) {
		if (grace_ms > 0)
			(void)child_ends(connection->pid, grace_ms);
		/* The group first: the leader's pid, and so the group's number, is still taken. */
		kill(-connection->pid, SIGKILL);
		kill(connection->pid, SIGKILL);
		while (waitpid(connection->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	*connection = CONNECTION_CLOSED;
}

bool connection_is_quiet(const struct connection *connection)
{
	struct pollfd fd = { .fd = connection->fd, .events = POLLIN };

	return poll(&fd, 1, 0) == 0;
}

/* --- A server
 * -------------------------------------------------------------------------------------- */

/* "tcp://host:port" → host, port. */
static int split_address(const char *address, char host[HOST_BYTES_MAX + 1], const char **ret_port)
{
	static const char scheme[] = "tcp://";

	if (strncmp(address, scheme, strlen(scheme)) != 0)
		return -EINVAL;
	const char *from = address + strlen(scheme);
	const char *colon = strrchr(from, ':');
	if (!colon || colon == from || !colon[1])
		return -EINVAL;
	size_t length = (size_t)(colon - from);
	if (length > 2 && from[0] == '[' && from[length - 1] == ']') {
		from++;
		length -= 2;
	}
	if (length > HOST_BYTES_MAX)
		return -EINVAL;
	memcpy(host, from, length);
	host[length] = '\0';
	*ret_port = colon + 1;
	return 0;
}

static int dial_one(const struct addrinfo *info, const struct connection_wait *wait, int *ret_fd)
{
	_cleanup_(closep) int fd = socket(info->ai_family,
		info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, info->ai_protocol);
	int cause = 0;
	socklen_t size = sizeof cause;

	if (fd < 0)
		return -errno;
	if (connect(fd, info->ai_addr, info->ai_addrlen) < 0) {
		if (errno != EINPROGRESS)
			return -errno;
		int result = wait->wait(fd, POLLOUT, wait->context);
		if (result < 0)
			return result;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &cause, &size) < 0)
			return -errno;
		if (cause)
			return -cause;
	}
	/* A request is one short write that waits for its answer. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	*ret_fd = hand_over_fd(&fd);
	return 0;
}

int connection_dial(const char *address, const struct connection_wait *wait,
	struct connection *ret_connection, struct error *error)
{
	char host[HOST_BYTES_MAX + 1];
	const char *port;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list;

	int result = split_address(address, host, &port);
	if (result < 0)
		return error_set(error, result, "địa chỉ phải có dạng tcp://máy:cổng");
	int unresolved = getaddrinfo(host, port, &hints, &list);
	if (unresolved)
		return error_set(error, -EHOSTUNREACH, "không tìm được máy “%s”: %s", host,
			gai_strerror(unresolved));
	result = -EHOSTUNREACH;
	int fd = -1;
	for (const struct addrinfo *info = list; info && fd < 0; info = info->ai_next) {
		result = dial_one(info, wait, &fd);
		if (result == -ECANCELED || result == -ETIME)
			break;
	}
	freeaddrinfo(list);
	if (fd < 0)
		return error_set(error, result, "không nối được: %s",
			result == -ETIME ? "quá lâu không trả lời" : strerror(-result));
	*ret_connection = (struct connection){ .fd = fd };
	return 0;
}
