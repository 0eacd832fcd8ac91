// Counts a program's allocations: loaded before the C library (LD_PRELOAD), it passes each on and counts it.
//
// The program finds `beanspike_allocation_count` with dlsym, and takes the count before and after what it measures. Only
// what asks for memory counts, and a realloc as one; memory given back does not.
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

static _Atomic uint64_t count;

uint64_t beanspike_allocation_count(void) { return atomic_load_explicit(&count, memory_order_relaxed); }

static void count_one(void) { atomic_fetch_add_explicit(&count, 1, memory_order_relaxed); }

// The C library's own, by the names under which it also has them, so that finding them needs no dlsym: that allocates.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t number, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    count_one();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count_one();
    return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size) {
    count_one();
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    count_one();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count_one();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    count_one();
    *block = __libc_memalign(alignment, size);
    return *block == NULL ? 12 : 0; // ENOMEM
}
