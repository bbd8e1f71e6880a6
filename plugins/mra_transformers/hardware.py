"""Device and number format, chosen by what the hardware has. torch is imported only where a GPU may be present."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from mra_bench.errors import UsageError
from mra_bench.runtime import prepare_threads, usable_memory

SMALL = 64_000_000
"""Parameters below which fp32 is always taken: half precision saves nothing there and costs exactness."""

GPU_FILES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg", "/proc/driver/nvidia/version")


def gpu_may_be_present() -> bool:
    """A cheap check that is never wrong when it says no: device files of GPU drivers, or a Mac of Apple's own chips."""
    if platform.system() == "Linux":
        return any(Path(name).exists() for name in GPU_FILES)
    return platform.system() != "Darwin" or platform.machine() == "arm64"


def choose_device(name: str) -> str:
    """The device for an option value: ``auto`` gives ``cuda``, ``mps`` or ``cpu``. Raises UsageError for one that is
    not there."""
    if name == "cpu" or (name == "auto" and not gpu_may_be_present()):
        return "cpu"
    if name != "auto" and name.split(":")[0] not in ("cuda", "mps"):
        raise UsageError(f"Unknown device '{name}'. Use auto, cpu, cuda, cuda:<number> or mps.")
    prepare_threads()  # before torch is first imported
    import torch

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        found = next((kind for kind, there in present.items() if there), "cpu")
        beside = os.environ.get("LOCAL_RANK", "")  # a launcher gives each of its processes a GPU
        return f"cuda:{int(beside) % torch.cuda.device_count()}" if found == "cuda" and beside.isdecimal() else found
    kind, _, index = name.partition(":")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    if not present[kind] or (index and not (index.isdecimal() and int(index) < count)):
        raise UsageError(f"The device '{name}' is not there. Set device: auto, or cpu.")
    return name


def check_reproducible(device: str) -> None:
    """Raises UsageError for a device that nobody promises the same numbers on twice."""
    if device_kind(device) == "gpu" and not device.startswith("cuda"):
        raise UsageError(f"strict_determinism is promised on cpu and cuda, not on {device}. Set device: cpu.")


def compute_reproducibly(device: str) -> None:
    """Let a GPU add in a fixed order, with all digits of fp32, from now on; on the CPU a fixed number of threads does.
    To be called before a model is on the device."""
    if not device.startswith("cuda"):
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS is first used
    import torch

    torch.use_deterministic_algorithms(True)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


def cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bf16 numbers itself (AVX-512 BF16 or AMX), from the flags Linux lists."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def choose_dtype(name: str, device: str, parameters: int | None = None) -> str:
    """``bf16``, ``fp16`` or ``fp32`` for an option value on a device as `choose_device` gives it.

    ``auto``: fp32 for small models (`parameters` below SMALL); bf16 on GPUs and CPUs that have it; fp16 on other CUDA
    GPUs; else fp32.
    """
    if name != "auto":
        return name
    if parameters is not None and parameters < SMALL:
        return "fp32"
    if device.startswith("cuda"):
        import torch

        return "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    return "bf16" if device == "cpu" and cpu_has_bf16() else "fp32"


def memory(device: str) -> int:
    """Bytes of memory that a device has in all: of a GPU, or of the machine, cut by the limit of its control group."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.get_device_properties(device).total_memory)
    return usable_memory()


def device_kind(device: str) -> str:
    """``cpu`` or ``gpu``: the key of the tables of defaults."""
    return "cpu" if device == "cpu" else "gpu"
