"""A small project for in-process runs, whose providers really write files."""

from __future__ import annotations

from collections.abc import Callable

from infra.inprocess.runner import InProcessResult

PROJECT = """
name: lifecompanion
runtime: python
config:
  greeting: {type: string, default: hello}
  number: {type: integer, default: 3}
  adminPassword: {type: string, default: ""}
"""
PROVIDERS = """
from pathlib import Path
import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult


class FileProvider(ResourceProvider):
    serialize_as_secret_always = False

    def check(self, olds, news):
        empty = news.get("text") == ""
        return CheckResult(news, [CheckFailure("text", "found nothing, required a text")] if empty else [])

    def create(self, props):
        if props["text"] == "refuse":
            raise RuntimeError(f"file {props['path']}: found no room, required some; make room")
        Path(props["path"]).write_text(props["text"])
        return CreateResult(props["path"], {**props, "size": len(props["text"])})

    def diff(self, id_, olds, news):
        return DiffResult(changes=olds["text"] != news["text"] or not Path(id_).exists())

    def update(self, id_, olds, news):
        return UpdateResult(self.create(news).outs)

    def delete(self, id_, props):
        Path(id_).unlink()


class File(Resource, module="tests", name="File"):
    size: pulumi.Output[int]

    def __init__(self, name, path, text, opts=None):
        super().__init__(FileProvider(), name, {"path": path, "text": text, "size": None}, opts)
"""
Run = Callable[..., InProcessResult]


def operations(result: InProcessResult) -> list[tuple[str, str]]:
    """List what happened to each resource as (operation, name), in order."""
    return [(event.operation, event.name) for event in result.events]
