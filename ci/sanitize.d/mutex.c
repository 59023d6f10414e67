// What ThreadSanitizer must be told about Synchronization's Mutex.
//
// Its uncontended paths are compiled into our code, where the sanitizer sees them. Its contended ones are in a library
// of the toolchain that is not instrumented: a thread that had to wait for the lock, or that woke a waiter, would seem to
// have taken or given back nothing, and what the lock protects would be reported as a race. The two functions are wrapped
// rather than the reports suppressed, so that a race inside `withLock` still shows.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

// Synchronization._MutexHandle._lockSlow(UInt32) and ._unlockSlow()
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

typedef SWIFT void lock_function(uint32_t thread, SELF void *mutex);
typedef SWIFT void unlock_function(SELF void *mutex);

lock_function lock_slow __asm__(LOCK_SLOW);
unlock_function unlock_slow __asm__(UNLOCK_SLOW);

void __tsan_acquire(void *address);
void __tsan_release(void *address);

static void *original(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) abort();
    return function;
}

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) {
    ((lock_function *)original(LOCK_SLOW))(thread, mutex);
    __tsan_acquire(mutex);
}

SWIFT void unlock_slow(SELF void *mutex) {
    __tsan_release(mutex);
    ((unlock_function *)original(UNLOCK_SLOW))(mutex);
}
