/* Memory for the buffers of one graph's kernel: its malloc and free, which nothing outside the library sees.

   A kernel takes all its buffers and gives them back before it returns. The C library would return such
   amounts to the system each time, and the next call would touch new pages: some hundred microseconds for a
   few megabytes. Here a thread keeps what its last call needed, in one piece, until it ends. */

#define _GNU_SOURCE
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>

#define HIDDEN __attribute__((visibility("hidden")))

enum { ALIGNMENT = 64, APART = 320, HEADER = 64, PAGE = 4096 };

struct chunk {
    struct chunk *before;
    size_t bytes;
};

static __thread struct chunk *chunks; /* the newest first */
static __thread size_t used;          /* of the newest, its header included */
static __thread size_t taken;         /* since no buffer was in use */
static __thread size_t live;          /* buffers in use */
static pthread_key_t key;
static int has_key; /* there are few of them in a process */

static void release(void *ignored) {
    (void)ignored;
    while (chunks) {
        struct chunk *before = chunks->before;
        munmap(chunks, chunks->bytes);
        chunks = before;
    }
}

__attribute__((constructor)) static void prepare(void) { has_key = !pthread_key_create(&key, release); }

static int grow(size_t bytes) {
    bytes = (bytes + HEADER + PAGE - 1) / PAGE * PAGE;
    struct chunk *made = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED)
        return 0;
    madvise(made, bytes, MADV_HUGEPAGE);
    made->before = chunks;
    made->bytes = bytes;
    chunks = made;
    used = HEADER;
    if (has_key)
        pthread_setspecific(key, made); /* anything but NULL: then `release` is called */
    return 1;
}

HIDDEN void *malloc(size_t bytes) {
    /* Not a power of two apart: buffers that lie alike within a page are in each other's way. */
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + APART;
    if ((!chunks || chunks->bytes - used < bytes) && !grow(bytes))
        return NULL;
    char *found = (char *)chunks + used;
    used += bytes;
    taken += bytes;
    live += 1;
    return found;
}

HIDDEN void free(void *buffer) {
    if (!buffer || --live)
        return;
    if (!has_key) { /* nothing would give them back when the thread ends */
        release(NULL);
    } else if (chunks->before) {
        release(NULL);
        grow(taken);
    }
    used = HEADER;
    taken = 0;
}
