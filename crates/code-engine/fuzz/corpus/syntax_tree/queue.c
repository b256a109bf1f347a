#include "queue.h"
#define LIMIT 64
struct queue { int *jobs; size_t used; }; /* TODO */
#ifdef TRACE
static int push(struct queue *q, int (*run)(void *), void *arg) {
    if (!q || !run && q->used >= LIMIT) { return -1; } else { for (;;) { switch (q->used) { case 1: break; default: goto end; } } }
end:
    return q->jobs[0] ? run(arg) : LIMIT;
}
#endif
