"""Finds plugins, loads each one guarded, and resolves the names they register.

Order of discovery: built-in plugins (entry points of the distribution mra-bench); other installed entry points of the
group ``mra_bench``; what MRA_BENCH_PLUGINS names; what ``--plugin`` names. ``--no-plugin NAME`` blocks any of them.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from mra_bench.errors import UsageError, ambiguous, nearest, unknown
from mra_bench.hookspecs import PROJECT, Hooks
from mra_bench.option_values import parse_options

SECTIONS = "report_sections"
KINDS = ("graders", "profilers", "models", "trainers", "pair_builders", "row_builders", "datasets", SECTIONS)
TAKES: Mapping[str, tuple[str, ...]] = {  # what `register` is told of a thing, beside its name and target
    **dict.fromkeys(KINDS, ("options", "needs")),
    **dict.fromkeys(("pair_builders", "row_builders"), ("options", "needs", "consumes")),
    "trainers": ("options", "needs", "consumes", "together", "chooses"),
    SECTIONS: ("title", "after"),
}
PLACE = re.compile(r"\w+(\.\w+)*:\w+")  # of something in a module, imported when it is first needed
OWN = "mra-bench"  # the distribution whose entry points are the built-in plugins
LISTED = {"pair_builders": "builders", "row_builders": "builders"}  # by which command, where not by that of the name
CONSUMES: Mapping[str, tuple[str, ...]] = {
    "trainers": ("rows", "pairs", "problems"),
    "pair_builders": ("samples", "problems"),
    "row_builders": ("samples", "problems"),
}


@dataclasses.dataclass(frozen=True)
class PluginSettings:
    """Which plugins to load beyond the installed ones, and which not. Plain data, so a worker process can repeat it."""

    named: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    strict: bool = False

    @classmethod
    def from_environment(cls, files: tuple[str, ...] = (), blocked: tuple[str, ...] = ()) -> PluginSettings:
        """Settings from ``--plugin`` and ``--no-plugin`` values and MRA_BENCH_PLUGINS (separated as in PATH)."""
        from_env = tuple(p for p in os.environ.get("MRA_BENCH_PLUGINS", "").split(os.pathsep) if p)
        strict = os.environ.get("MRA_BENCH_STRICT_PLUGINS", "") not in ("", "0")
        return cls(named=from_env + files, blocked=blocked, strict=strict)


@dataclasses.dataclass(frozen=True)
class Plugin:
    """One plugin as found: usable, or with the `error` that keeps it from being used."""

    name: str
    origin: str  # "built-in", "installed", or the file or module named by the user
    package: str
    distribution_version: str
    module: ModuleType | None = None
    error: str = ""

    @functools.cached_property
    def version(self) -> str:
        """Version of the distribution and 12 hex digits of a hash of the source, e.g. ``0.1.0+src.1f2e3d4c5b6a``."""
        return f"{self.distribution_version}+src.{source_hash(self.module)}" if self.module else ""


@dataclasses.dataclass(frozen=True)
class Registered:
    """One named thing offered by a plugin."""

    kind: str
    name: str
    plugin: Plugin
    target: Any
    options_given: type | str | None = None
    consumes: str = ""
    needs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    together: bool = False
    chooses: bool = False
    title: str = ""
    after: str = ""

    @functools.cached_property
    def options(self) -> type | None:
        """The class of its options; given as "module:Class" it is imported now. Raises UsageError if that fails."""
        if not isinstance(self.options_given, str):
            return self.options_given
        module, _, name = self.options_given.partition(":")
        try:
            found = getattr(importlib.import_module(module), name)
            if not isinstance(found, type):
                raise TypeError(f"a {type(found).__name__}, not a class")
        except (Exception, SystemExit) as error:
            what = f"The options {self.options_given} of the {word(self.kind)} '{self.name}'"
            raise UsageError(f"{what} cannot be used: {_said(error)}") from error
        return found

    @property
    def full_name(self) -> str:
        return f"{self.plugin.package}:{self.name}"

    @property
    def missing(self) -> str:
        """What to install before it can be used, as a shell command; "" when nothing is missing."""
        wanted = [what for module, what in self.needs.items() if importlib.util.find_spec(module) is None]
        return f"pip install {' '.join(map(repr, dict.fromkeys(wanted)))}" if wanted else ""

    def parse_options(self, values: Mapping[str, Any]) -> Any:
        """Validate `values` against the options class. Raises UsageError naming the option and the nearest one, or
        what is not installed."""
        owner = f"{word(self.kind)} '{self.name}'"
        if missing := self.missing:
            raise UsageError(f"The {owner} needs what is not installed: {missing}")
        return parse_options(self.options, values, owner)

    def build(self, values: Mapping[str, Any]) -> Any:
        """A grader, profiler or model ready for use: the target itself when it has no options class, else
        target(options)."""
        parsed = self.parse_options(values)
        if self.options is None and self.kind in ("graders", "profilers"):
            return self.target
        return self.target(parsed)


def word(kind: str) -> str:
    """What a thing of one of `KINDS` is called: "pair builder"."""
    return kind[:-1].replace("_", " ")


class Registry:
    """All plugins found and everything they registered."""

    def __init__(self, plugins: list[Plugin], things: list[Registered]) -> None:
        self.plugins = plugins
        self.things = things

    def names(self, kind: str) -> list[str]:
        """Names of one kind, bare where unique, else with the package."""
        bare = [thing.name for thing in self.of(kind)]
        return sorted(t.name if bare.count(t.name) == 1 else t.full_name for t in self.of(kind))

    def of(self, kind: str) -> list[Registered]:
        return [thing for thing in self.things if thing.kind == kind]

    def resolve(self, kind: str, name: str) -> Registered:
        """The thing called `name` or ``package:name``. Raises UsageError when there is none or more than one."""
        found = [thing for thing in self.of(kind) if name in (thing.name, thing.full_name)]
        if len(found) == 1:
            return found[0]
        what = word(kind)
        if found:
            raise ambiguous(what, name, [thing.full_name for thing in found])
        broken = [f"{p.name} ({p.error})" for p in self.plugins if p.error]
        error = unknown(what, name, self.names(kind), f"mra-bench {LISTED.get(kind, kind)}")
        raise UsageError(f"{error} Broken plugins: {'; '.join(broken)}" if broken else str(error))


def load_plugins(settings: PluginSettings | None = None) -> Registry:
    """Find, load and register every plugin. A broken installed one is kept with its error; a broken one the user named
    (``--plugin``, MRA_BENCH_PLUGINS), or any with strict settings, raises UsageError."""
    settings = settings or PluginSettings.from_environment()
    _check_blocked(settings)
    found = _distinct([*_installed(settings.blocked), *_named(settings)])
    results = [_registered(plugin) for plugin in found]
    plugins = [plugin for plugin, _ in results]
    for plugin, offered in results:
        by_user = plugin.origin not in ("built-in", "installed")
        if by_user and not plugin.error and not offered:
            raise UsageError(f"The plugin {plugin.name} ({plugin.origin}) offers nothing: is @hookimpl missing in it?")
        if plugin.error and (by_user or settings.strict):
            raise UsageError(f"The plugin {plugin.name} ({plugin.origin}) cannot be used: {plugin.error}")
    return Registry(plugins, [thing for _, offered in results for thing in offered])


def source_hash(module: ModuleType) -> str:
    """12 hex digits over the plugin's Python files: the folder of its outermost package, or the one file of a module
    that is in none."""
    import hashlib

    outermost = sys.modules.get(module.__name__.partition(".")[0], module)
    file = Path(outermost.__file__ or module.__file__ or "")
    files = sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]
    digest = hashlib.sha256()
    for path in files:
        relative = path.relative_to(file.parent).as_posix().encode()
        digest.update(relative + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _check_blocked(settings: PluginSettings) -> None:
    """Every name to block is a plugin's. Raises UsageError with the nearest one."""
    if not settings.blocked:
        return
    from mra_bench.installed import installed

    known = {name for each in installed(PROJECT) for name in (each.point.name, each.package)}
    known |= {name for given in settings.named for name in (given, Path(given).stem)}
    for name in settings.blocked:
        if name not in known:
            raise unknown("plugin", name, known, "mra-bench plugins", where="in --no-plugin")


def _installed(blocked: tuple[str, ...]) -> list[Plugin]:
    """Plugins of installed distributions: mra-bench's own first, then the others by name."""
    from mra_bench.installed import installed

    only_own = os.environ.get("MRA_BENCH_DISABLE_PLUGINS", "") not in ("", "0")
    found = []
    for each in sorted(installed(PROJECT), key=lambda each: each.owner != OWN):
        own, name = each.owner == OWN, each.point.name
        if {name, each.package} & set(blocked) or (only_own and not own):
            continue
        found.append(_load(name, "built-in" if own else "installed", each.package, each.version, each.point.load))
    return found


def _named(settings: PluginSettings) -> list[Plugin]:
    """Plugins the user names: files ending in ``.py``, or modules to import."""
    found = []
    for name in dict.fromkeys(settings.named):
        is_file = name.endswith(".py")
        package = Path(name).stem if is_file else name
        if {package, name} & set(settings.blocked):
            continue
        load = functools.partial(_load_file, Path(name)) if is_file else functools.partial(_load_module, name)
        found.append(_load(package, name, package, "0", load))
    return found


def _load(name: str, origin: str, package: str, version: str, load: Callable[[], Any]) -> Plugin:
    try:
        module = load()
        if not isinstance(module, ModuleType):
            raise TypeError(f"a plugin is a module, but {name} names a {type(module).__name__}")
    except (Exception, SystemExit) as error:
        return Plugin(name, origin, package, version, error=_said(error))
    return Plugin(name, origin, package, version, module=module)


def _load_module(name: str) -> ModuleType:
    if Path(name).is_file():
        raise UsageError("a file, but no Python file: its name must end in .py")
    if not all(part.isidentifier() for part in name.split(".")):
        raise UsageError("neither a file ending in .py nor the name of a module")
    return importlib.import_module(name)


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"no such file: {path}")
    name = f"mra_bench_file_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _distinct(plugins: list[Plugin]) -> list[Plugin]:
    """Each module once, however many ways lead to it; another plugin of a name already taken gets an error, because
    ``package:name`` could not tell the two apart."""
    kept: dict[str, Plugin] = {}
    result = []
    for plugin in plugins:
        first = kept.setdefault(plugin.package, plugin)
        if first is plugin:
            result.append(plugin)
        elif plugin.error or first.error or _file(plugin) != _file(first):
            clash = plugin.error or f"the name {plugin.package} is taken by the plugin from {first.origin}; rename it"
            result.append(dataclasses.replace(plugin, module=None, error=clash))
    return result


def _file(plugin: Plugin) -> Path:
    return Path(plugin.module.__file__ or "").resolve() if plugin.module else Path()


def _registered(plugin: Plugin) -> tuple[Plugin, list[Registered]]:
    """The plugin and all that its hooks offer; or, with the error, nothing."""
    if plugin.module is None:
        return plugin, []
    offered: list[Registered] = []
    try:
        hooks = _checked_hooks(plugin.module)
        for kind in KINDS:
            getattr(hooks, f"register_{kind}")(register=functools.partial(_offer, offered, plugin, kind))
    except (Exception, SystemExit) as error:
        return dataclasses.replace(plugin, error=_said(error)), []
    return plugin, offered


def _checked_hooks(module: ModuleType) -> Any:
    """pluggy's callers for the hooks of one module, after checking their names and signatures. One manager for each
    plugin: what one does cannot reach another."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    manager.register(module)
    known = [f"register_{kind}" for kind in KINDS]
    for caller in manager.get_hookcallers(module) or ():
        if not caller.has_spec() and not all(impl.optionalhook for impl in caller.get_hookimpls()):
            close = nearest(caller.name, known)
            hint = f"did you mean '{close}'?" if close else f"known: {', '.join(known)}"
            raise UsageError(f"unknown hook '{caller.name}', {hint}")
    return manager.hook


def _said(error: BaseException) -> str:
    return str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"


def _offer(offered: list[Registered], plugin: Plugin, kind: str, name: str, target: Any, **given: Any) -> None:
    """What a hook's `register` does: check what is said of a thing, and keep it."""
    what = f"register('{name}', ...)"
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        raise UsageError(f"'{name}' cannot be a name: use letters, digits, '-', '_' and '.', first a letter or digit")
    if any(thing.kind == kind and thing.name == name for thing in offered):
        raise UsageError(f"'{name}' is registered twice")
    for key in given:
        if key not in (known := TAKES[kind]):
            close = nearest(key, known)
            hint = f"did you mean '{close}='?" if close else f"it takes {', '.join(f'{one}=' for one in known)}"
            raise UsageError(f"{what} of a {word(kind)} takes no {key}=; {hint}")
    if kind == SECTIONS:
        _check_section(what, target, given.get("title"))
    elif not callable(target):
        raise UsageError(f"{what} needs a function or class, got {type(target).__name__}")
    options, consumes, needs = given.pop("options", None), given.get("consumes", ""), given.pop("needs", None)
    if isinstance(options, str) and not PLACE.fullmatch(options):
        raise UsageError(f"{what}: options= must be a class or its place as 'module:Class', got {options!r}")
    if consumes not in (known := CONSUMES.get(kind, (consumes,))):
        raise UsageError(f"the {word(kind)} '{name}' must say consumes= one of {', '.join(known)}, got {consumes!r}")
    if needs is not None and not isinstance(needs, Mapping):
        raise UsageError(f"{what}: needs= must map modules to what pip installs, got {needs!r}")
    offered.append(Registered(kind, name, plugin, target, options, needs=dict(needs or {}), **given))


def _check_section(what: str, target: Any, title: Any) -> None:
    if not callable(target) and not (isinstance(target, str) and PLACE.fullmatch(target)):
        raise UsageError(f"{what} needs a function or its place as 'module:function', got {target!r}")
    if not isinstance(title, str) or not title.strip():
        raise UsageError(f"{what}: title= must be the section's heading, got {title!r}")
