/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/inhand.h"
#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_SIZE 40

#define HASHED_BYTES_MAX (128 * 1024) /* of a message: a recording may be long */

struct place {
	char id[ID_MAX_BYTES + 1]; /* "": nothing */
	char output[NAME_MAX_BYTES + 1];
	bool on_air;
};

struct killer {        /* a message that was in hand when a process died */
	uint64_t hash; /* 0: none */
	uint32_t deaths;
	uint32_t padding;
};

struct death { /* of processes that held an announcement */
	struct place place;
	uint32_t count;
};

struct page { /* as it lies in the file */
	char magic[16];
	char boot_id[BOOT_ID_SIZE];
	uint64_t message; /* hash of the one that is being read; 0: none */
	uint32_t next_killer;
	uint32_t fallen; /* the process has ended by a fault of its own */
	struct killer killers[INHAND_MESSAGES];
	struct place places[INHAND_PLACES];
	struct death deaths[INHAND_DEATHS];
	uint32_t next_death;
	uint32_t padding;
};

struct inhand {
	struct page *page;
};

static const char magic[16] = "loalang in-hand";

/* --- Falling --------------------------------------------------------------------------------- */

static const int falls[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

/* A signal handler can be told nothing; so this is the one variable of its kind. */
static struct page *volatile page_of_process;

static void on_fall(int signal)
{
	if (page_of_process)
		page_of_process->fallen = 1;
	(void)raise(signal); /* the default action is back: see SA_RESETHAND */
}

/* Where nobody else (a sanitizer) looks already. */
static void watch_falls(struct page *page)
{
	struct sigaction action = { .sa_handler = on_fall, .sa_flags = (int)SA_RESETHAND }, before;

	page_of_process = page;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < countof(falls); i++)
		if (sigaction(falls[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			(void)sigaction(falls[i], &action, NULL);
}

/* --- Opening --------------------------------------------------------------------------------- */

static void read_boot_id(char ret_id[BOOT_ID_SIZE])
{
	_cleanup_(fclosep) FILE *file = fopen(BOOT_ID_PATH, "re");

	memset(ret_id, 0, BOOT_ID_SIZE);
	if (!file || !fgets(ret_id, BOOT_ID_SIZE, file))
		snprintf(ret_id, BOOT_ID_SIZE, "unknown"); /* then every death counts */
	ret_id[strcspn(ret_id, "\n")] = '\0';
}

/* The message that was in hand has killed, perhaps not for the first time. */
static void blame_message(struct page *page)
{
	struct killer *killer = NULL;
	bool guilty = page->message != 0 && page->fallen;

	if (!guilty) {
		page->message = 0;
		return;
	}
	for (size_t i = 0; i < INHAND_MESSAGES && !killer; i++)
		if (page->killers[i].hash == page->message)
			killer = &page->killers[i];
	if (!killer) {
		killer = &page->killers[page->next_killer++ % INHAND_MESSAGES];
		*killer = (struct killer){ .hash = page->message };
	}
	if (killer->deaths < INHAND_DEATHS_MAX)
		killer->deaths++;
	page->message = 0;
}

static bool is_same(const struct place *place, const char *id, const char *output)
{
	return strcmp(place->id, id) == 0 && strcmp(place->output, output) == 0;
}

static struct death *find_death(struct page *page, const char *id, const char *output)
{
	for (size_t i = 0; i < INHAND_DEATHS; i++)
		if (page->deaths[i].count > 0 && is_same(&page->deaths[i].place, id, output))
			return &page->deaths[i];
	return NULL;
}

static void blame_place(struct page *page, const struct place *place)
{
	bool guilty = place->id[0] != '\0' && (page->fallen || place->on_air);

	if (!guilty)
		return;
	struct death *death = find_death(page, place->id, place->output);
	if (!death) {
		death = &page->deaths[page->next_death++ % INHAND_DEATHS];
		*death = (struct death){ .place = *place };
	}
	if (death->count < INHAND_DEATHS_MAX)
		death->count++;
}

/* What is read back is judged like input. */
static void end_texts(struct place *place)
{
	place->id[ID_MAX_BYTES] = '\0';
	place->output[NAME_MAX_BYTES] = '\0';
}

/* Counts the death of the process before, if it lived in this boot, and clears what it held. */
static void take_over(struct inhand *inhand)
{
	struct page *page = inhand->page;
	char boot_id[BOOT_ID_SIZE];

	read_boot_id(boot_id);
	if (memcmp(page->magic, magic, sizeof magic) != 0 ||
		memcmp(page->boot_id, boot_id, sizeof boot_id) != 0) {
		memset(page, 0, sizeof *page);
		memcpy(page->magic, magic, sizeof magic);
		memcpy(page->boot_id, boot_id, sizeof boot_id);
		return;
	}
	for (size_t i = 0; i < INHAND_DEATHS; i++)
		end_texts(&page->deaths[i].place);
	for (size_t i = 0; i < INHAND_PLACES; i++) {
		end_texts(&page->places[i]);
		blame_place(page, &page->places[i]);
	}
	memset(page->places, 0, sizeof page->places);
	blame_message(page);
	page->fallen = 0;
}

struct inhand *inhand_open(const char *state_dir)
{
	_cleanup_(freep) char *path = xasprintf("%s/" INHAND_FILE_NAME, state_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	if (fd < 0)
		return NULL;
	/* The blocks must be there: a full disk would be a SIGBUS at the first touch. */
	int result = posix_fallocate(fd, 0, sizeof(struct page));
	void *page = result == 0 ? mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE,
					   MAP_SHARED, fd, 0)
				 : MAP_FAILED;
	if (result == 0 && page == MAP_FAILED)
		result = errno;
	close(fd);
	if (page == MAP_FAILED) {
		errno = result;
		return NULL;
	}
	struct inhand *inhand = xcalloc(1, sizeof *inhand);
	inhand->page = page;
	take_over(inhand);
	watch_falls(inhand->page);
	return inhand;
}

struct inhand *inhand_close(struct inhand *inhand)
{
	if (!inhand)
		return NULL;
	page_of_process = NULL;
	memset(inhand->page->places, 0, sizeof inhand->page->places);
	inhand->page->message = 0;
	(void)munmap(inhand->page, sizeof *inhand->page);
	free(inhand);
	return NULL;
}

/* --- Announcements --------------------------------------------------------------------------- */

void inhand_take(struct inhand *inhand, size_t place, const char *id, const char *output)
{
	if (!inhand || place >= INHAND_PLACES)
		return;
	struct place *to = &inhand->page->places[place];
	to->on_air = false;
	snprintf(to->output, sizeof to->output, "%s", output);
	snprintf(to->id, sizeof to->id, "%s", id);
}

void inhand_on_air(struct inhand *inhand, size_t place)
{
	if (inhand && place < INHAND_PLACES)
		inhand->page->places[place].on_air = true;
}

void inhand_put_down(struct inhand *inhand, size_t place)
{
	if (inhand && place < INHAND_PLACES)
		memset(&inhand->page->places[place], 0, sizeof(struct place));
}

unsigned inhand_died_with(const struct inhand *inhand, const char *id, const char *output)
{
	const struct death *death = inhand ? find_death(inhand->page, id, output) : NULL;

	return death ? death->count : 0;
}

void inhand_forgive(struct inhand *inhand, const char *id, const char *output)
{
	struct death *death = inhand ? find_death(inhand->page, id, output) : NULL;

	if (death)
		*death = (struct death){ 0 };
}

/* --- Messages -------------------------------------------------------------------------------- */

/* FNV-1a, 64 bit (Fowler, Noll, Vo). */
static uint64_t hash_on(uint64_t hash, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

bool inhand_take_message(
	struct inhand *inhand, const char *topic, const char *payload, size_t length)
{
	if (!inhand)
		return true;
	uint64_t hash = hash_on(UINT64_C(0xcbf29ce484222325), topic, strlen(topic) + 1);
	hash = hash_on(hash, payload, length < HASHED_BYTES_MAX ? length : HASHED_BYTES_MAX);
	if (hash == 0)
		hash = 1;
	for (size_t i = 0; i < INHAND_MESSAGES; i++)
		if (inhand->page->killers[i].hash == hash &&
			inhand->page->killers[i].deaths >= INHAND_DEATHS_MAX)
			return false;
	inhand->page->message = hash;
	return true;
}

void inhand_put_down_message(struct inhand *inhand)
{
	if (inhand)
		inhand->page->message = 0;
}
