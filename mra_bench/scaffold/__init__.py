"""`mra-bench plugins new`: a plugin's package, complete, from the templates beside this file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mra_bench import __version__
from mra_bench.errors import UsageError
from mra_bench.plugins import Registry

PREFIX = "mra-bench-"
TEMPLATES = {  # file in the package -> template
    "{module}.py": "module.txt",
    "pyproject.toml": "pyproject.txt",
    "tests/test_{module}.py": "test.txt",
    "README.md": "readme.txt",
}


@dataclass(frozen=True)
class Package:
    """What was written. `module`: the plugin itself."""

    folder: Path
    files: tuple[Path, ...]
    module: Path


def new_grader(name: str, folder: Path | None, registry: Registry) -> Package:
    """Write the package mra-bench-NAME with a grader of this name into `folder`, by default one of the package's name.

    Raises UsageError for a name that cannot be one or is taken, for a folder that holds anything or cannot be written.
    """
    _check_name(name, registry)
    distribution = PREFIX + name
    folder = Path(distribution) if folder is None else folder
    _check_folder(folder)
    words = {"name": name, "distribution": distribution, "module": distribution.replace("-", "_")}
    try:
        written = tuple(_write(folder / _filled(target, words), TEMPLATES[target], words) for target in TEMPLATES)
    except OSError as error:
        raise UsageError(f"Cannot write {error.filename or folder}: {error.strerror}") from None
    return Package(folder, written, written[0])


def _write(file: Path, template: str, words: dict[str, str]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = files(__name__).joinpath("grader", template).read_text(encoding="utf-8")
    file.write_text(_filled(text, {**words, "version": __version__}), encoding="utf-8")
    return file


def _filled(text: str, words: dict[str, str]) -> str:
    """`text` with each {word} replaced; other braces stay as they are."""
    return re.sub("|".join(rf"\{{{word}\}}" for word in words), lambda found: words[found[0][1:-1]], text)


def _check_name(name: str, registry: Registry) -> None:
    if name.startswith((PREFIX, PREFIX.replace("-", "_"))):
        raise UsageError(
            f"The package is called {PREFIX}NAME anyway; give the name alone: {name[len(PREFIX) :] or 'NAME'}"
        )
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        close = f" Did you mean '{plain}'?" if re.match("[a-z]", plain) else ""
        raise UsageError(
            f"'{name}' cannot be the name of a package: use small letters and digits, words joined by '-', first a "
            f"letter.{close}"
        )
    for thing in registry.of("graders"):
        if thing.name == name:
            raise UsageError(f"A grader '{name}' is there already ({thing.full_name}); choose another name")


def _check_folder(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} exists already and is left as it is; name another folder with --out")
