//! C: exact facts of a file written for the purpose, every number counted by hand.

use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::parse::file_analyze;
use nyxcore_code_engine::references::ReferenceKind;

use crate::notation::{analyse, definitions, imports, lines, references};

const QUEUE: &str = r#"/* A queue of jobs. */
#include <stdlib.h>
#include "queue.h"

#define LIMIT 64
#define SWAP(a, b) do { int t = take(a); (a) = (b); } while (0)
#define NDEBUG

typedef int (*job_fn)(void *arg, size_t n);

typedef struct {
    job_fn run;
    void *arg;
} job_t;

struct queue {
    job_t *jobs;   /* TODO: shrink */
    size_t used;
};

enum state { IDLE, BUSY = LIMIT };

static const char *const names[] = { "idle", "busy" };
extern int verbosity;

int queue_push(struct queue *q, job_fn run, void *arg);

/* Pushes a job.
   Grows where it must. */
int queue_push(struct queue *q, job_fn run, void *arg)
{
    if (!q || !run || q->used >= LIMIT && verbosity > 0) {
        return -1;
    } else if (q->used == 0) {
        q->jobs = malloc(sizeof(job_t) * LIMIT);
    } else {
        for (size_t i = 0; i < q->used; i++)
            q->jobs[i].run = run ? run : default_run;
    }
#ifdef TRACE
    trace(names[0]);
#endif
    return 0;
}

static void
queue_drain(struct queue *q)
{
    enum state now = IDLE;
    while (q->used) {
        switch (now) {
        case IDLE:
            now = BUSY;
            break;
        case BUSY:
        default:
            goto out;
        }
        do {
            q->used--;
        } while (q->used > 1);
    }
out:
    free(q->jobs);
}

#if defined(OLD)
int queue_size(q) struct queue *q; {
#else
int queue_size(const struct queue *q) {
#endif
    return (int)q->used;
}

static int *(*pick(int which))(void)
{
    return which ? 0 : first_pick;
}

static void test_push(void)
{
    struct queue q = {0};
    assert(queue_push(&q, default_run, NULL) == 0);
}
"#;

#[test]
fn a_file_of_c() {
    let facts = analyse("src/queue.c", QUEUE);
    // queue_push: 1 + if + || + || + && + else if + for + ?: + #ifdef = 9;
    //   cognitive: if 1 + runs (|| ||) 1 and (&&) 1 + else if 1 + else 1 + for 2 + ?: 3 = 10; nesting: if, for.
    // queue_drain: 1 + while + 2 cases + do = 5; cognitive: while 1 + switch 2 + goto 1 + do 2 = 6.
    // queue_size: its head is split by `#if`; only the first branch is parsed.
    assert_eq!(
        definitions(&facts),
        [
            "constant LIMIT 5-5 e",
            "function SWAP 6-6 e",
            "type job_fn 9-9 e",
            "struct job_t 11-14 e",
            "struct queue 16-19 e",
            "enum state 21-21 e",
            "constant names 23-23",
            "function queue_push 30-44 de 9/10/2/3/15",
            "function queue_drain 46-65 5/6/2/1/20",
            "function queue_size 68-73 e 1/0/0/1/6",
            "function pick 75-78 2/1/0/1/4",
            "function test_push 80-84 t 1/0/0/0/5",
        ]
    );
    assert_eq!(imports(&facts), ["stdlib.h 2", "queue.h 3"]);
    assert_eq!(
        references(&facts, ReferenceKind::Call),
        [
            "assert* 83",
            "free 64",
            "malloc 35",
            "queue_push* 83",
            "take 6",
            "trace 41",
        ]
    );
    // `sizeof(job_t)` may be of a value as well, so it is a name. To the grammar `size_t` is a primitive type, like
    // `int`.
    assert_eq!(
        references(&facts, ReferenceKind::Type),
        [
            "job_fn 12 26 30",
            "job_t 17",
            "queue 26 30 47 68",
            "queue* 82",
            "state 49",
        ]
    );
    let names = references(&facts, ReferenceKind::Name);
    for expected in [
        "BUSY 53 55",
        "LIMIT 21 32 35",
        "default_run 38",
        "default_run* 83",
        "job_t 35",
        "names 41",
        "q.used 32 34 37 50 60 61 72",
        "verbosity 32",
    ] {
        assert!(
            names.iter().any(|name| name == expected),
            "{expected}: {names:#?}"
        );
    }
    assert_eq!((facts.tests, facts.todos), (vec![80], vec![17]));
    assert_eq!(facts.syntax_errors, 0);
}

#[test]
fn lines_of_c() {
    // 84 lines: 12 blank; the comments of 1, 28 and 29 stand alone.
    assert_eq!(lines(&analyse("src/queue.c", QUEUE)), (69, 3, 12));
}

#[test]
fn a_header_with_classes_is_read_as_cplusplus_wherever_it_lies() {
    let header =
        "#pragma once\nnamespace a {\nclass B {\npublic:\n  int c() const { return 1; }\n};\n}\n";
    let facts = file_analyze("b.h", Language::C, header.as_bytes()).expect("facts");
    assert_eq!(
        definitions(&facts),
        [
            "module a 2-7 e",
            "class a.B 3-6 e",
            "method B.c 5-5 e 1/0/0/0/1"
        ]
    );
    assert_eq!(facts.syntax_errors, 0);
    let both = "#ifdef __cplusplus\nextern \"C\" {\n#endif\nint class(int new);\nstatic inline int b(void) { return class(1); }\n#ifdef __cplusplus\n}\n#endif\n";
    let facts = analyse("c.h", both);
    assert_eq!(definitions(&facts), ["function b 5-5 1/0/0/0/1"]);
    assert_eq!(facts.syntax_errors, 0);
}
