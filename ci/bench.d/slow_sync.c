/* For LD_PRELOAD into a server: fsync and fdatasync take SLOW_SYNC_US longer, as on a disk behind a network. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int delayed(const char *name, int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int status = real(file);
    const char *given = getenv("SLOW_SYNC_US");
    long delay = given ? atol(given) : 0;
    struct timespec pause = {delay / 1000000, delay % 1000000 * 1000};
    while (nanosleep(&pause, &pause)) continue;
    return status;
}

int fsync(int file) { return delayed("fsync", file); }
int fdatasync(int file) { return delayed("fdatasync", file); }
