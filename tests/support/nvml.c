/* A stand-in for NVIDIA's libnvidia-ml.so.1: two GPUs, the second cut into one MIG slice. Only where no GPU is.
   With -DWHOLE the second is not cut, and used differently from the first. */
#include <stdio.h>
#include <string.h>

typedef struct { unsigned long long total, available, used; } memory_t;
typedef struct { unsigned int gpu, memory; } utilization_t;
typedef struct { unsigned long long at; union { double d; unsigned int u; unsigned long long l; } value; } sample_t;

#ifdef WHOLE
enum { CUT = -1 };
#else
enum { CUT = 1 };
#endif
enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6 };
static int gpus[3] = {0, 1, 2}; /* the last is the slice */

int nvmlInitWithFlags(unsigned int flags) { return OK; }
int nvmlInit_v2(void) { return OK; }
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { return "told by the stand-in"; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 2; return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, int **device) {
    if (index > 1) return INVALID;
    *device = &gpus[index];
    return OK;
}
static const char *names[] = {"GPU-aaaa1111", "GPU-bbbb2222", "MIG-cccc3333"};
int nvmlDeviceGetHandleByUUID(const char *uuid, int **device) {
    for (int n = 0; n < 3; n++)
        if (!strcmp(uuid, names[n])) { *device = &gpus[n]; return OK; }
    return NOT_FOUND;
}
int nvmlDeviceGetUUID(int *device, char *uuid, unsigned int length) {
    snprintf(uuid, length, "%s", names[*device]);
    return OK;
}
int nvmlDeviceGetName(int *device, char *name, unsigned int length) {
    snprintf(name, length, "%s", *device == 2 ? "NVIDIA Test MIG 1g.10gb" : "NVIDIA Test");
    return OK;
}
int nvmlDeviceGetMigMode(int *device, unsigned int *current, unsigned int *pending) {
    *current = *pending = *device == CUT;
    return *device == 2 ? NOT_SUPPORTED : OK;
}
int nvmlDeviceGetMaxMigDeviceCount(int *device, unsigned int *count) { *count = 7; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(int *device, unsigned int index, int **slice) {
    if (index != 3) return NOT_FOUND;
    *slice = &gpus[2];
    return OK;
}
int nvmlDeviceGetMemoryInfo(int *device, memory_t *memory) {
    memory->total = *device == 2 ? 10000000000ULL : 80000000000ULL;
    memory->used = *device == 2 ? 1000000000ULL : *device == 1 && CUT != 1 ? 60000000000ULL : 20000000000ULL;
    memory->available = memory->total - memory->used;
    return OK;
}
int nvmlDeviceGetUtilizationRates(int *device, utilization_t *use) {
    if (*device != 0 && (*device != 1 || CUT == 1)) return NOT_SUPPORTED;
    use->gpu = *device ? 43 : 7;
    use->memory = 1;
    return OK;
}
/* One burst of 97 % at moment 1000: told to whoever has not seen it. */
int nvmlDeviceGetSamples(int *device, int kind, unsigned long long seen, int *type, unsigned int *count, sample_t *out) {
    if (*device != 0) return NOT_SUPPORTED;
    if (seen >= 1000) return NOT_FOUND;
    *type = 1;
    *count = 1;
    if (out) { memset(out, 0, sizeof *out); out->at = 1000; out->value.u = 97; }
    return OK;
}
