// cbench: measures Aerospike's client for C the way README.md beside it says.
//
// Usage: cbench c|c-async|c-pipe HOST PORT AMOUNT [MEASURE ...]
//
//   c        the synchronous calls: 64 in flight are 64 threads
//   c-async  the calls with listeners on one event loop, a connection for each call in flight
//   c-pipe   the same, pipelined: calls share connections
//
// It is a program of its own, no part of this package and not built by any script here. It needs the client's headers and
// library, built for libuv (AS_USE_LIBUV).

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <aerospike/aerospike.h>
#include <aerospike/aerospike_key.h>
#include <aerospike/as_event.h>
#include <aerospike/as_key.h>
#include <aerospike/as_record.h>

enum {
    IN_FLIGHT = 64,
    // A multiple of what is in flight: no two callers ever meet at a record.
    RECORDS = 6400,
    WARM_UP_CALLS = 1280,
    BODY_BYTES = 64,
};

typedef enum { C_SYNC, C_ASYNC, C_PIPE } manner;

static const char* const manners[] = { "c", "c-async", "c-pipe" };
static const char* const measures[] = { "put-one", "get-one", "put-64", "get-64" };

// One of those who call in turn; there are as many as calls in flight.
typedef struct {
    bool is_put;
    int number; // of the next record
    int stride;
    size_t calls_max;  // unless there is a deadline
    uint64_t deadline; // 0: none
    uint64_t begun;    // the call that is under way
    uint32_t* took;    // nanoseconds, one for each call
    size_t calls;
    size_t capacity;
} caller;

static aerospike client;
static manner how;
static char set_name[32];
static uint8_t body[BODY_BYTES];

// Callers on the event loop that are not done.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_done = PTHREAD_COND_INITIALIZER;
static int running;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("cbench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
        (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void check(const as_error* error) {
    if (error->code != AEROSPIKE_OK) {
        die("%d %s", error->code, error->message);
    }
}

static void check_body(const as_record* record, int number) {
    const as_bytes* bytes = record == NULL ? NULL : as_record_get_bytes(record, "b");
    if (bytes == NULL || as_bytes_size(bytes) != BODY_BYTES) {
        die("record %d is not what was written", number);
    }
}

static void begin(caller* self) {
    if (self->calls == self->capacity) {
        self->capacity = self->capacity == 0 ? 4096 : self->capacity * 2;
        self->took = realloc(self->took, self->capacity * sizeof(uint32_t));
        if (self->took == NULL) {
            die("no memory");
        }
    }
}

// Notes the call that has ended; true if there is another to make.
static bool go_on(caller* self) {
    uint64_t end = now();
    self->took[self->calls++] = (uint32_t)(end - self->begun);
    self->begun = end;
    self->number = (self->number + self->stride) % RECORDS;
    return self->deadline != 0 ? end < self->deadline : self->calls < self->calls_max;
}

static void call_and_wait(caller* self) {
    as_error error;
    as_key key;
    as_key_init_int64(&key, "test", set_name, self->number);
    if (self->is_put) {
        as_record record;
        as_record_inita(&record, 1);
        as_record_set_raw(&record, "b", body, BODY_BYTES);
        aerospike_key_put(&client, &error, NULL, &key, &record);
        check(&error);
        as_record_destroy(&record);
    } else {
        as_record* record = NULL;
        aerospike_key_get(&client, &error, NULL, &key, &record);
        check(&error);
        check_body(record, self->number);
        as_record_destroy(record);
    }
}

static void* repeat(void* argument) {
    caller* self = argument;
    self->begun = now();
    do {
        begin(self);
        call_and_wait(self);
    } while (go_on(self));
    return NULL;
}

static void call_async(caller* self);

static void ended(caller* self) {
    if (go_on(self)) {
        call_async(self);
        return;
    }
    pthread_mutex_lock(&lock);
    if (--running == 0) {
        pthread_cond_signal(&all_done);
    }
    pthread_mutex_unlock(&lock);
}

static void on_written(as_error* error, void* data, as_event_loop* loop) {
    (void)loop;
    if (error != NULL) {
        check(error);
    }
    ended(data);
}

static void on_read(as_error* error, as_record* record, void* data, as_event_loop* loop) {
    (void)loop;
    if (error != NULL) {
        check(error);
    }
    caller* self = data;
    check_body(record, self->number);
    ended(self);
}

// That this is there makes a call share its connection.
static void on_sent(void* data, as_event_loop* loop) {
    (void)data;
    (void)loop;
}

static void call_async(caller* self) {
    as_error error;
    as_key key;
    as_event_loop* loop = as_event_loop_get_by_index(0);
    as_pipe_listener sent = how == C_PIPE ? on_sent : NULL;
    begin(self);
    as_key_init_int64(&key, "test", set_name, self->number);
    if (self->is_put) {
        as_record record;
        as_record_inita(&record, 1);
        as_record_set_raw(&record, "b", body, BODY_BYTES);
        aerospike_key_put_async(&client, &error, NULL, &key, &record, on_written, self, loop, sent);
        as_record_destroy(&record);
    } else {
        aerospike_key_get_async(&client, &error, NULL, &key, on_read, self, loop, sent);
    }
    check(&error);
}

// Lets so many callers make their calls; returns when all have.
static void run(caller* callers, int width) {
    if (how != C_SYNC) {
        running = width;
        for (int i = 0; i < width; i++) {
            callers[i].begun = now();
            call_async(&callers[i]);
        }
        pthread_mutex_lock(&lock);
        while (running > 0) {
            pthread_cond_wait(&all_done, &lock);
        }
        pthread_mutex_unlock(&lock);
        return;
    }
    if (width == 1) {
        repeat(&callers[0]);
        return;
    }
    pthread_t threads[IN_FLIGHT];
    for (int i = 0; i < width; i++) {
        if (pthread_create(&threads[i], NULL, repeat, &callers[i]) != 0) {
            die("no thread: %s", strerror(errno));
        }
    }
    for (int i = 0; i < width; i++) {
        pthread_join(threads[i], NULL);
    }
}

// Sets up the callers for so many calls each, or until a deadline.
static void set_up(caller* callers, int width, bool is_put, size_t calls, uint64_t deadline) {
    for (int i = 0; i < width; i++) {
        caller* self = &callers[i];
        free(self->took);
        *self = (caller){
            .is_put = is_put, .number = i, .stride = width, .calls_max = calls == 0 ? 1 : calls, .deadline = deadline
        };
    }
}

static int compare(const void* left, const void* right) {
    uint32_t a = *(const uint32_t*)left;
    uint32_t b = *(const uint32_t*)right;
    return (a > b) - (a < b);
}

static void measure(const char* name, size_t calls, double seconds) {
    static caller callers[IN_FLIGHT];
    bool is_put = strncmp(name, "put", 3) == 0;
    int width = strstr(name, "64") != NULL ? IN_FLIGHT : 1;
    if (!is_put) {
        set_up(callers, width, true, (size_t)(RECORDS / width), 0);
        run(callers, width);
    }
    set_up(callers, width, is_put, (size_t)(WARM_UP_CALLS / width), 0);
    run(callers, width);

    uint64_t begun = now();
    double cpu = cpu_seconds();
    set_up(callers, width, is_put, calls / (size_t)width, seconds > 0 ? begun + (uint64_t)(seconds * 1e9) : 0);
    run(callers, width);
    double lasted = (double)(now() - begun) / 1e9;
    cpu = cpu_seconds() - cpu;

    size_t total = 0;
    for (int i = 0; i < width; i++) {
        total += callers[i].calls;
    }
    uint32_t* took = malloc(total * sizeof(uint32_t));
    if (took == NULL) {
        die("no memory");
    }
    size_t filled = 0;
    for (int i = 0; i < width; i++) {
        memcpy(took + filled, callers[i].took, callers[i].calls * sizeof(uint32_t));
        filled += callers[i].calls;
    }
    qsort(took, total, sizeof(uint32_t), compare);
    printf(
        "{\"client\":\"%s\",\"measure\":\"%s\",\"p50_us\":%.1f,\"p99_us\":%.1f,\"calls\":%zu,\"seconds\":%.3f,"
        "\"cpu_us_per_call\":%.2f}\n",
        manners[how], name, took[total / 2] / 1e3, took[total * 99 / 100] / 1e3, total, lasted,
        cpu * 1e6 / (double)total);
    fflush(stdout);
    free(took);
}

static bool is_measure(const char* name) {
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
        if (strcmp(name, measures[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void connect_to(const char* host, uint16_t port) {
    as_error error;
    as_config config;
    as_config_init(&config);
    as_config_add_host(&config, host, port);
    config.async_max_conns_per_node = 2 * IN_FLIGHT;
    as_policy_base* policies[] = { &config.policies.read.base, &config.policies.write.base };
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        policies[i]->max_retries = 0;
        policies[i]->total_timeout = 5000;
        policies[i]->socket_timeout = 5000;
    }
    if (how != C_SYNC && as_event_create_loops(1) == NULL) {
        die("no event loop");
    }
    aerospike_init(&client, &config);
    aerospike_connect(&client, &error);
    check(&error);
}

int main(int count, char** arguments) {
    static const int manner_count = sizeof manners / sizeof *manners;
    int chosen = 0;
    while (count > 1 && chosen < manner_count && strcmp(arguments[1], manners[chosen]) != 0) {
        chosen++;
    }
    if (count < 5 || chosen == manner_count) {
        fprintf(stderr, "usage: cbench c|c-async|c-pipe HOST PORT AMOUNT [MEASURE ...]\n");
        return 2;
    }
    how = (manner)chosen;
    snprintf(set_name, sizeof set_name, "bench-%s", manners[how]);
    for (int i = 0; i < BODY_BYTES; i++) {
        body[i] = (uint8_t)i;
    }
    const char* amount = arguments[4];
    bool is_seconds = amount[0] != '\0' && amount[strlen(amount) - 1] == 's';
    double seconds = is_seconds ? atof(amount) : 0;
    long calls = is_seconds ? 0 : atol(amount);
    if (seconds <= 0 && calls <= 0) {
        die("%s is neither calls nor seconds (20000, 2s)", amount);
    }

    for (int i = 5; i < count; i++) {
        if (!is_measure(arguments[i])) {
            die("there is no measure %s", arguments[i]);
        }
    }
    connect_to(arguments[2], (uint16_t)atoi(arguments[3]));
    if (count > 5) {
        for (int i = 5; i < count; i++) {
            measure(arguments[i], (size_t)calls, seconds);
        }
    } else {
        for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
            measure(measures[i], (size_t)calls, seconds);
        }
    }
    as_error error;
    aerospike_close(&client, &error);
    aerospike_destroy(&client);
    if (how != C_SYNC) {
        as_event_close_loops();
    }
    return 0;
}
