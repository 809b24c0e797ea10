"""The program run against mocks that only record what it declares; no server and no engine is asked."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import json
import runpy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pulumi
import pytest
import yaml
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.stack import Stack

from infra.inprocess.urns import make_urn
from infra.local import docker_engine
from infra.targets import embedded, host

ROOT = Path(__file__).resolve().parents[3]
SECRET = "4dabf18193072939515e22adb298388d"  # the key under which Pulumi's wire format marks a value as secret
WIRE_SECRET = {SECRET: "1b47061264138c4ac30d75fd1eb44270"}
# As the engine answers: additional secret outputs come back marked.
OUTPUTS: Mapping[str, Mapping[str, Any]] = {
    "Password": {"value": {**WIRE_SECRET, "value": "generated"}},
    "BaseImage": {"reference": "debian:trixie-slim"},
    "RemoteImage": {"imageId": "sha256:0"},
    **{kind: {"facts": {}} for kind in ("Table", "ContinuousAggregate", "View", "Function", "Enum", "Job")},
    "Seed": {"counts": {}},
    "Bucket": {"left_out": []},
    "Certificate": {"ca_pem": "CA", "cert_pem": "CERT", "key_pem": {**WIRE_SECRET, "value": "generated key"}},
}


@dataclass
class Recorder(pulumi.runtime.Mocks):
    """Records the inputs of every declared resource by (last word of its type, name); secrets stay marked.

    `requests` are all registrations by URN, components and providers included; `registered` the outputs of components.
    """

    inputs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    requests: dict[str, Any] = field(default_factory=dict)
    registered: dict[str, dict[str, Any]] = field(default_factory=dict)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Record the resource's inputs; its outputs are the inputs and the values in OUTPUTS."""
        if not args.custom:
            return "", {}
        kind = args.typ.split(":")[-1]
        self.inputs[kind, args.name] = dict(args.inputs)
        return f"{args.name}-id", {**args.inputs, **OUTPUTS.get(kind, {})}

    def call(self, args: pulumi.runtime.MockCallArgs) -> NoReturn:
        """Fail: the program calls no provider function while it declares."""
        raise AssertionError(f"the program calls {args.token}")

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the inputs of every resource of this kind, by name."""
        return {name: inputs for (declared_kind, name), inputs in self.inputs.items() if declared_kind == kind}


class Registrations(MockMonitor):
    """Records the program's requests to the engine by the URN that the engine gives each resource."""

    mocks: Recorder

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Build the URN as the engine does."""
        return make_urn(pulumi.get_stack(), pulumi.get_project(), parent, type_, name)

    def RegisterResource(self, request: Any) -> Any:
        """Record the request."""
        self.mocks.requests[self.make_urn(request.parent, request.type, request.name)] = request
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def RegisterResourceOutputs(self, request: Any) -> Any:
        """Record the outputs of a component, secrets marked."""
        self.mocks.registered[request.urn] = rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


def declared(monkeypatch: pytest.MonkeyPatch, stack: str, config: Mapping[str, Any] | None = None,
             secret: Mapping[str, str] | None = None, *, official: bool = True,
             volumes: Mapping[str, Mapping[str, str]] | None = None) -> tuple[Recorder, dict[str, Any]]:
    """Return what `__main__.py` declares and exports for a committed stack with these changes of its config.

    `volumes` are those that the engine has: their labels by name.
    """
    volumes = volumes or {}
    monkeypatch.setattr(docker_engine, "has_image", lambda reference: official)
    monkeypatch.setattr(docker_engine, "can_pull", lambda reference: False)
    monkeypatch.setattr(docker_engine, "volume_label", lambda volume, label: volumes.get(volume, {}).get(label))
    monkeypatch.setattr(docker_engine, "has_volume", lambda volume: volume in volumes)
    monkeypatch.setattr(docker_engine, "require_port", lambda *args: None)
    monkeypatch.setattr(docker_engine, "require_own", lambda *args: None)
    monkeypatch.setattr(embedded, "require_port", lambda *args: None)
    monkeypatch.setattr(host, "require_fit", lambda address: 17)
    recorder = Recorder()
    asyncio.set_event_loop(_loop())  # other tests leave none
    with contextlib.chdir(ROOT):
        return recorder, contextvars.Context().run(_run, recorder, stack, config or {}, secret or {})


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """One for all programs of this process, as a Pulumi program has."""
    return asyncio.new_event_loop()


def _run(recorder: Recorder, stack: str, config: Mapping[str, Any], secret: Mapping[str, str]) -> dict[str, Any]:
    documented = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    own = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    values = {f"lifecompanion:{key}": entry["default"] for key, entry in documented.items()} | own | {
        f"lifecompanion:{key}": value for key, value in {**config, **secret}.items()}
    pulumi.runtime.set_mocks(recorder, project="lifecompanion", stack=stack, monitor=Registrations(recorder))
    pulumi.runtime.set_all_config({key: value if isinstance(value, str) else json.dumps(value)
                                   for key, value in values.items()}, [f"lifecompanion:{key}" for key in secret])
    exported: dict[str, Any] = {}

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> pulumi.Output[list[None]]:
        runpy.run_path("__main__.py")
        resource = pulumi.runtime.get_root_resource()
        assert isinstance(resource, Stack)
        exported["secret"] = {}
        return pulumi.Output.all(*(_known(name, value, exported) for name, value in resource.outputs.items()))

    program()
    return exported


def _known(name: str, value: Any, exported: dict[str, Any]) -> pulumi.Output[None]:
    output = pulumi.Output.from_input(value)

    async def mark() -> None:
        exported["secret"][name] = await output.is_secret()

    return output.apply(lambda known: exported.__setitem__(name, known)).apply(lambda _: mark())


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every value inside a value, with its path; a secret is one leaf, with its mark."""
    if isinstance(value, Mapping) and SECRET in value:
        yield path, SECRET
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from leaves(item, (*path, str(number)))
    else:
        yield path, value
