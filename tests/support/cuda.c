/* A stand-in for NVIDIA's libcuda.so.1: a driver that takes all and runs nothing. Only where no GPU is. */
#include <string.h>
#include <time.h>

static int kernel;

int cuInit(unsigned int flags) { return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = &kernel; return device ? 101 : 0; }
int cuCtxSetCurrent(void *context) { return context == &kernel ? 0 : 201; }
int cuModuleLoadData(void **module, const char *ptx) { *module = &kernel; return strstr(ptx, ".entry busy(") ? 0 : 218; }
int cuModuleGetFunction(void **function, void *module, const char *name) {
    *function = &kernel;
    return strcmp(name, "busy") ? 500 : 0;
}
int cuLaunchKernel(void *function, unsigned int gx, unsigned int gy, unsigned int gz, unsigned int bx, unsigned int by,
                   unsigned int bz, unsigned int shared, void *stream, void **arguments, void **extra) {
    int right = function == &kernel && gx * gy * gz * bx * by * bz == 1 && !shared && !stream && !extra;
    return right && **(unsigned long long **)arguments > 1000000 ? 0 : 1;
}
int cuCtxSynchronize(void) {
    struct timespec moment = {0, 10000000};
    return nanosleep(&moment, 0);
}
