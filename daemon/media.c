#include "daemon/media.h"
#include <stdlib.h>
void media_event_free(struct inbox_link *e)
{
	free(e);
}
struct media *media_start(const char *s, struct inbox *e)
{
	(void)s;
	(void)e;
	return malloc(1);
}
int media_stop(struct media *m, int t)
{
	(void)t;
	free(m);
	return 0;
}
int media_keep(struct media *m, const char *s, char *b, size_t l)
{
	(void)m;
	(void)s;
	(void)l;
	free(b);
	return 0;
}
void media_on_event(struct media *m, const struct media_event *e)
{
	(void)m;
	(void)e;
}
enum media_state media_state(const struct media *m, const char *s)
{
	(void)m;
	(void)s;
	return MEDIA_UNKNOWN;
}
double media_seconds(const struct media *m, const char *s)
{
	(void)m;
	(void)s;
	return 0;
}
char *media_path(struct media *m, const char *s)
{
	(void)m;
	(void)s;
	return NULL;
}
void media_hold(struct media *m, const char *s)
{
	(void)m;
	(void)s;
}
void media_release(struct media *m, const char *s)
{
	(void)m;
	(void)s;
}
void media_kick(struct media *m)
{
	(void)m;
}
uint64_t media_turns(const struct media *m)
{
	(void)m;
	return 0;
}
