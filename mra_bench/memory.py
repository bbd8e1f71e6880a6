"""Peak memory of one piece of work in this process: resident, and on its accelerators."""

from __future__ import annotations

import contextlib
import re
import sys
from pathlib import Path
from typing import Any

from mra_bench.runtime import give_freed_memory_back

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"  # see proc(5): resets the peak of resident memory ("VmHWM") to what it is now


class PeakMemory:
    """Watches from when it is made; one at a time, as the marks are the process's own."""

    def __init__(self) -> None:
        give_freed_memory_back()  # what earlier work has freed is not this one's
        self._reset = False
        with contextlib.suppress(OSError):  # only Linux has it
            _CLEAR.write_text(_RESET_PEAK, encoding="ascii")
            self._reset = True
        self._before = _whole_peak()
        if cuda := _cuda():
            for device in range(cuda.device_count()):
                cuda.reset_peak_memory_stats(device)

    def measured(self) -> dict[str, int | None]:
        """ "memory": peak resident bytes since then, None where it is not known: where the peak cannot be reset, it is
        known only if it grew. "accelerator_memory": bytes of torch's tensors at their peak, all CUDA devices together;
        None where torch has used none."""
        cuda = _cuda()
        used = sum(cuda.max_memory_allocated(device) for device in range(cuda.device_count())) if cuda else 0
        return {"memory": self._resident(), "accelerator_memory": used or None}

    def _resident(self) -> int | None:
        if self._reset and (found := re.search(r"VmHWM:\s*(\d+) kB", _STATUS.read_text(encoding="ascii"))):
            return int(found[1]) * 1024
        peak = _whole_peak()
        return peak if peak is not None and self._before is not None and peak > self._before else None


def _whole_peak() -> int | None:
    """Peak resident bytes of the process since it started; None on a system that does not say."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _cuda() -> Any:
    """torch.cuda where torch is loaded and has used a device; importing or starting it for this would cost memory."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None
