"""Records the use of a GPU second by second while a small load runs on it; the image's Python runs this file alone.

The load is one thread that waits for so many clock ticks, through CUDA's driver API: a kernel that runs is use,
however little of the GPU it takes. Work: ``training`` runs for some seconds and pauses, ``loading`` has
a burst of a fifth of a second now and then, ``forgotten`` holds a context and does nothing.
"""

import ctypes
import json
import os
import sys
import threading
import time

from fabric_lab.common.gpu import Gpus

# PTX for every GPU since 2018 (https://docs.nvidia.com/cuda/parallel-thread-execution/): the driver compiles it.
PTX = b"""
.version 6.3
.target sm_75
.address_size 64
.visible .entry busy(.param .u64 ticks)
{
    .reg .pred %p<2>;
    .reg .b64 %rd<5>;
    ld.param.u64 %rd1, [ticks];
    mov.u64 %rd2, %clock64;
again:
    mov.u64 %rd3, %clock64;
    sub.s64 %rd4, %rd3, %rd2;
    setp.lt.s64 %p1, %rd4, %rd1;
    @%p1 bra again;
    ret;
}
"""
TICKS = 20_000_000  # ten to twenty milliseconds
# Seconds of load, seconds of pause.
WORK = {"training": (4.0, 11.0), "loading": (0.2, 7.8), "forgotten": (0.0, 1.0)}


class Load:
    """A context on the first GPU, and a kernel to run in it."""

    def __init__(self) -> None:
        self._cuda = ctypes.CDLL("libcuda.so.1")
        device, context, module = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p()
        self._kernel = ctypes.c_void_p()
        self._call("cuInit", 0)
        self._call("cuDeviceGet", ctypes.byref(device), 0)
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._context = context
        self._call("cuCtxSetCurrent", context)
        self._call("cuModuleLoadData", ctypes.byref(module), PTX)
        self._call("cuModuleGetFunction", ctypes.byref(self._kernel), module, b"busy")

    def _call(self, name: str, *arguments: object) -> None:
        result = getattr(self._cuda, name)(*arguments)
        if result:
            raise RuntimeError(f"{name}: CUDA error {result}")

    def run(self, seconds: float) -> None:
        """Keep the GPU busy for so long."""
        self._call("cuCtxSetCurrent", self._context)  # each thread has its own
        ticks = ctypes.c_uint64(TICKS)
        arguments = (ctypes.c_void_p * 1)(ctypes.addressof(ticks))
        one, end = (1, 1, 1), time.monotonic() + seconds
        while time.monotonic() < end:
            self._call("cuLaunchKernel", self._kernel, *one, *one, 0, None, arguments, None)
            self._call("cuCtxSynchronize")


def recorded(work: str, seconds: int) -> list[list[float] | None]:
    """What :meth:`Gpus.busiest` tells at the end of each second."""
    gpus, load = Gpus(os.environ), Load()
    busy_s, pause_s = WORK[work]
    over, wrong = threading.Event(), []

    def toil() -> None:
        try:
            while not over.is_set():
                if busy_s:
                    load.run(busy_s)
                over.wait(pause_s)
        except RuntimeError as error:
            wrong.append(error)

    time.sleep(2)  # what an earlier load, or the making of the context, has left in NVML's samples
    gpus.busiest()
    thread = threading.Thread(target=toil)
    thread.start()
    told, begin = [], time.monotonic()
    try:
        for second in range(1, seconds + 1):
            time.sleep(max(0.0, begin + second - time.monotonic()))
            told.append(gpus.busiest())
    finally:
        over.set()
        thread.join()
    if wrong:
        raise wrong[0]
    return told


if __name__ == "__main__":
    name = Gpus(os.environ).read()[0]["name"]
    print(json.dumps({"gpu": name, "work": sys.argv[1], "percent": recorded(sys.argv[1], int(sys.argv[2]))}))
