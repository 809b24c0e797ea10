"""Modules that Pulumi's plugin process will need, read while it waits for its next call.

The process begins with the first dynamic resource; then, for a second or two, other plugins and servers are asked. What
the schema and the bucket need takes half a second of processor time to read, and would be read when their turn comes.
"""

from __future__ import annotations

import importlib
import sys
import threading


def is_plugin() -> bool:
    """Whether this process is the one that Pulumi starts for dynamic providers, for one command."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec is not None and spec.name.startswith("pulumi.dynamic")


def read_ahead(*names: str) -> threading.Thread | None:
    """Begin to import these modules in the plugin process; None in any other. Whoever imports one meanwhile waits."""
    if not is_plugin():
        return None
    thread = threading.Thread(target=lambda: [importlib.import_module(name) for name in names], daemon=True)
    thread.start()
    return thread
