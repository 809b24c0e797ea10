"""Import modules early in Pulumi's plugin process, in a thread, while the process waits for its next call.

The process starts with the first dynamic resource; for the next second or two Pulumi talks to other plugins and
servers. The modules for schema and bucket take half a second of CPU time to import, which is spent in that time.
"""

from __future__ import annotations

import importlib
import sys
import threading


def is_plugin() -> bool:
    """Tell whether this is the process that Pulumi starts for dynamic providers, one for each command."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec is not None and spec.name.startswith("pulumi.dynamic")


def read_ahead(*names: str) -> threading.Thread | None:
    """Start a thread that imports these modules, in the plugin process; return None in any other process.

    An import of the same module elsewhere waits for the thread, as Python locks each module.
    """
    if not is_plugin():
        return None
    thread = threading.Thread(target=lambda: [importlib.import_module(name) for name in names], daemon=True)
    thread.start()
    return thread
