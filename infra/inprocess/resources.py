"""How an in-process run makes each resource: as Pulumi's engine would call its provider, one after the other."""

from __future__ import annotations

import asyncio
import base64
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dill
import pulumi
from pulumi.dynamic import DiffResult, ResourceProvider
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.rpc import is_rpc_secret, unwrap_rpc_secret

from infra.automation.failures import explain
from infra.inprocess import access
from infra.inprocess.record import Entry, Record
from infra.inprocess.urns import component_of, former_urns, make_urn
from infra.providers.calls import is_unknown
from schema.connection import Address
from schema.errors import ServerUnreachableError

PROVIDER = "__provider"
POSTGRESQL = "pulumi:providers:postgresql"
Props = dict[str, Any]


class MakerError(Exception):
    """A resource could not be made or removed: one line."""


@dataclass(frozen=True)
class Event:
    """What happened to one resource: create, update, replace, delete, or same; in a preview with its `plan`, if any."""

    operation: str
    type: str
    name: str
    plan: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write the event without its plan: `create Table users`."""
        return f"{self.operation} {self.type.rpartition(':')[2]} {self.name}"


class Maker(Mocks):
    """Makes, or in a preview plans, what the program declares; stops at the first failure."""

    def __init__(self, record: Record, *, preview: bool, on_event: Callable[[Event], None] | None) -> None:
        """Make into `record`, or with `preview` change nothing; `on_event` gets each event as it happens."""
        self.preview = preview
        self.events: list[Event] = []
        self.failures: list[str] = []
        self._record, self._on_event = record, on_event
        self._servers: dict[str, Props] = {}
        self._one_at_a_time = threading.Lock()
        self.asked = threading.local()

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        """No plugin runs, so no function of one can be called."""
        raise self._failed(f"{args.token}: a plugin's function; only the Pulumi CLI can call it")

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Make one resource and return its id and outputs. Called from several threads."""
        if args.custom is False:
            return "", args.inputs
        with self._one_at_a_time:
            if self.failures:
                raise MakerError(f"{args.name}: not tried, as another resource failed")
            self._record.move(self.asked.urn, self.asked.former)
            self.asked.secrets = tuple(sorted(
                {key for key, value in args.inputs.items() if is_rpc_secret(value)}.union(self.asked.secret_outputs)))
            try:
                operation, id_, outputs = self._make(args.typ, args.name, plain(args.inputs), args.provider or "")
            except Exception as error:  # noqa: BLE001 a provider may raise anything; the user gets one line of it
                raise self._failed(explain("".join(traceback.format_exception(error)), args.name)) from None
            if operation:
                event = Event(operation, args.typ, args.name, tuple(outputs.get("plan", ())) if self.preview else ())
                self.events.append(event)
                if self._on_event:
                    self._on_event(event)
        return id_, {key: pulumi.Output.secret(value) if key in self.asked.secrets else value
                     for key, value in outputs.items() if key != PROVIDER}

    def _failed(self, line: str) -> MakerError:
        self.failures.append(line)
        return MakerError(line)

    def _make(self, kind: str, name: str, inputs: Props, provider: str) -> tuple[str, str, Props]:
        if kind.startswith("pulumi:providers:"):
            self._servers[name] = inputs
            if not self.preview:
                self._keep(kind, name, name, inputs, inputs)
            return "", name, inputs
        if PROVIDER in inputs:
            return self._dynamic(kind, name, inputs)
        if access.can_make(kind):
            return self._over_sql(kind, name, inputs, self._servers[provider.split("::")[-2]])
        raise MakerError(f"{kind}: made by a plugin, which needs the Pulumi CLI; install it, or take a stack whose "
                         "target is embedded")

    def _dynamic(self, kind: str, name: str, inputs: Props) -> tuple[str, str, Props]:
        """What the engine does with a dynamic resource: check, then create, or diff and update."""
        provider, old = load(inputs), self._record.entries.get(self.asked.urn)
        checked = provider.check(dict(old.inputs) if old else {}, inputs)
        if checked.failures:
            raise MakerError("; ".join(f"{failure.property}: {failure.reason}" for failure in checked.failures))
        inputs = {**checked.inputs, PROVIDER: inputs[PROVIDER]}
        if old is None:
            if self.preview:
                return "create", "", inputs
            return "create", *self._created(kind, name, inputs, provider)
        diff = provider.diff(old.id, dict(old.outputs), inputs)
        if not _changes(diff, old, inputs):
            if not self.preview and (old.secrets, old.parent) != (self.asked.secrets, self.asked.parent):
                self._keep(kind, name, old.id, dict(old.inputs), old.outputs)
            return "same", old.id, dict(old.outputs)
        if self.preview:
            return "update", old.id, {**old.outputs, **inputs}
        if diff.replaces:
            provider.delete(old.id, dict(old.outputs))
            return "replace", *self._created(kind, name, inputs, provider)
        outputs = provider.update(old.id, dict(old.outputs), inputs).outs or {}
        return "update", *self._keep(kind, name, old.id, inputs, outputs)

    def _created(self, kind: str, name: str, inputs: Props, provider: ResourceProvider) -> tuple[str, Props]:
        created = provider.create(inputs)
        return self._keep(kind, name, str(created.id), inputs, created.outs or {})

    def _over_sql(self, kind: str, name: str, inputs: Props, server: Props) -> tuple[str, str, Props]:
        """Make a resource of pulumi-postgresql's true, with the login of its provider."""
        old = self._record.entries.get(self.asked.urn)
        id_ = str(inputs.get("name", name))
        if is_unknown([server, inputs]):
            return "update" if old else "create", id_, inputs
        known = old is not None and old.inputs.get("password") == inputs.get("password")
        try:
            login, statements = access.missing(kind, inputs, _login(server), password_is_set=known)
        except ServerUnreachableError:
            if not self.preview:
                raise
            return "update" if old else "create", id_, inputs  # `up` is about to start this server or database
        if statements and not self.preview:
            access.make(login, statements)
        if not self.preview:
            self._keep(kind, name, id_, inputs, inputs)
        return "same" if not statements else "update" if old else "create", id_, inputs

    def _keep(self, kind: str, name: str, id_: str, inputs: Props, outputs: Mapping[str, Any]) -> tuple[str, Props]:
        outputs = {**outputs, **({PROVIDER: inputs[PROVIDER]} if PROVIDER in inputs else {})}
        self._record.put(self.asked.urn, Entry(kind, name, id_, inputs, outputs, self.asked.goes_with, self.asked.stays,
                                             self.asked.protected, self.asked.secrets, self.asked.parent))
        return id_, outputs


class Monitor(MockMonitor):
    """Tells the maker what a mock is not told: a resource's URNs, and what becomes of it when the stack goes."""

    def __init__(self, maker: Maker) -> None:
        """Pass what is registered on to `maker`."""
        super().__init__(maker)
        self._maker = maker

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine makes it, so that a stack is under the same URNs with the CLI."""
        return make_urn(pulumi.get_stack(), pulumi.get_project(), parent, type_, name)

    def RegisterResource(self, request: Any) -> Any:
        """Make the resource that the program registers."""
        asked = self._maker.asked
        asked.urn = self.make_urn(request.parent, request.type, request.name)
        asked.former = tuple(former_urns(request, pulumi.get_stack(), pulumi.get_project()))
        asked.parent = component_of(request.parent)
        asked.goes_with, asked.stays = str(request.deletedWith), bool(request.retainOnDelete)
        asked.protected, asked.secret_outputs = bool(request.protect), tuple(request.additionalSecretOutputs)
        with event_loop():
            return super().RegisterResource(request)  # type: ignore[no-untyped-call]


@contextmanager
def event_loop() -> Iterator[None]:
    """An event loop for this thread, closed afterwards; Pulumi would make one and leave it open."""
    loop = asyncio.new_event_loop()
    # the first failure ends the run and is told; what waited for it has nothing of its own to say
    loop.set_exception_handler(lambda _loop, _context: None)
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        waiting = asyncio.all_tasks(loop)  # for a resource that failed
        for task in waiting:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()


def remove(record: Record) -> Iterator[Event]:
    """Remove what the record names, the last created first; what another resource takes with it is left to that one."""
    protected = [entry.name for entry in record.entries.values() if entry.protected]
    if protected:
        raise MakerError(f"{', '.join(protected)}: protected, so nothing was removed; take it off the stack's protect "
                         "and bring the stack up once more")
    for urn, entry in reversed(list(record.entries.items())):
        if PROVIDER in entry.outputs and not entry.stays and entry.goes_with not in record.entries:
            try:
                load(entry.outputs).delete(entry.id, dict(entry.outputs))
            except Exception as error:  # noqa: BLE001 as above
                raise MakerError(explain("".join(traceback.format_exception(error)), entry.name)) from None
        if entry.type != POSTGRESQL:
            yield Event("same" if entry.stays else "delete", entry.type, entry.name)
        record.drop(urn)


def load(props: Mapping[str, Any]) -> ResourceProvider:
    """The provider that a dynamic resource carries: our own class, named in its property `__provider`."""
    provider = dill.loads(base64.b64decode(props[PROVIDER]))
    assert isinstance(provider, ResourceProvider)
    return provider


def plain(value: Any) -> Any:
    """A value without the wrapping of secrets, at any depth."""
    if is_rpc_secret(value):
        return plain(unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def _changes(diff: DiffResult, old: Entry, inputs: Props) -> bool:
    """A provider that does not say is taken to change where its inputs did."""
    return bool(diff.replaces) or (dict(old.inputs) != inputs if diff.changes is None else diff.changes)


def _login(server: Props) -> Address:
    return Address(str(server["host"]), int(float(server["port"])), str(server.get("database") or "postgres"),
                   str(server["username"]), str(server["password"]), str(server.get("sslmode") or "prefer"),
                   server.get("sslrootcert") or None)
