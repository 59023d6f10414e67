/* A link with a round trip of its own in front of a socket: what comes in on either side goes out half of it later.
 *
 *   slow_link LISTEN SERVER ROUND_TRIP_US
 *
 * A connection is two directions, a direction is a thread that reads and one that writes, with a queue between them: what
 * follows closely is delayed as well, but waits for nothing else. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct chunk {
    struct chunk *next;
    struct timespec due;
    ssize_t size;
    char bytes[16384];
};

struct direction {
    int from, to;
    pthread_mutex_t guard;
    pthread_cond_t filled;
    struct chunk *first, **end;
};

static long half;

static void *read_all(void *given) {
    struct direction *way = given;
    ssize_t size;
    do {
        struct chunk *chunk = malloc(sizeof *chunk);
        size = read(way->from, chunk->bytes, sizeof chunk->bytes);
        chunk->next = NULL;
        chunk->size = size;
        clock_gettime(CLOCK_MONOTONIC, &chunk->due);
        chunk->due.tv_nsec += half * 1000;
        chunk->due.tv_sec += chunk->due.tv_nsec / 1000000000;
        chunk->due.tv_nsec %= 1000000000;
        pthread_mutex_lock(&way->guard);
        *way->end = chunk;
        way->end = &chunk->next;
        pthread_cond_signal(&way->filled);
        pthread_mutex_unlock(&way->guard);
    } while (size > 0);
    return NULL;
}

static void *write_all(void *given) {
    struct direction *way = given;
    for (int is_open = 1; is_open;) {
        pthread_mutex_lock(&way->guard);
        while (!way->first) pthread_cond_wait(&way->filled, &way->guard);
        struct chunk *chunk = way->first;
        way->first = chunk->next;
        if (!way->first) way->end = &way->first;
        pthread_mutex_unlock(&way->guard);
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &chunk->due, NULL);
        is_open = chunk->size > 0;
        for (ssize_t sent = 0, now; is_open && sent < chunk->size; sent += now)
            if ((now = send(way->to, chunk->bytes + sent, chunk->size - sent, MSG_NOSIGNAL)) < 0) is_open = 0;
        free(chunk);
    }
    shutdown(way->to, SHUT_WR);
    shutdown(way->from, SHUT_RD);
    return NULL;
}

static void pass(int from, int to) {
    struct direction *way = calloc(1, sizeof *way);
    *way = (struct direction){.from = from, .to = to};
    way->end = &way->first;
    pthread_mutex_init(&way->guard, NULL);
    pthread_cond_init(&way->filled, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, read_all, way);
    pthread_detach(thread);
    pthread_create(&thread, NULL, write_all, way);
    pthread_detach(thread);
}

static int opened(const char *path, int (*use)(int, const struct sockaddr *, socklen_t)) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int file = socket(AF_UNIX, SOCK_STREAM, 0);
    if (use(file, (struct sockaddr *)&address, sizeof address)) {
        perror(path);
        exit(1);
    }
    return file;
}

int main(int count, char **arguments) {
    if (count != 4) return fprintf(stderr, "slow_link LISTEN SERVER ROUND_TRIP_US\n"), 64;
    half = atol(arguments[3]) / 2;
    int door = opened(arguments[1], bind);
    listen(door, 128);
    for (int client; (client = accept(door, NULL, NULL)) >= 0;) {
        int server = opened(arguments[2], connect);
        pass(client, server);
        pass(server, client);
    }
    return 1;
}
