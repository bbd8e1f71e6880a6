"""Discovery of plugins, guarded loading, names and options."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mra_bench.cli import call
from mra_bench.errors import UsageError
from mra_bench.option_help import options_of
from mra_bench.plugins import KINDS, Plugin, PluginSettings, Registry, load_plugins, source_hash

BUILT_IN = (
    "arith builders decision dpo echo grpo math-verify openai report sft smollm2 sympy tiny transformers verifier "
    "vllm".split()
)
HEAVY = {"torch", "transformers", "trl", "datasets", "pandas", "pyarrow", "sympy", "scipy", "statsmodels", "peft"}

SECTION = """
from mra_bench import hookimpl
@hookimpl
def register_report_sections(register):
    register("mine", print, title="Mine")
"""
GRADER = """
from mra_bench import Grade, hookimpl

def grade(problem, text):
    return Grade(correct=text == problem.answer, answer=text)

@hookimpl
def register_graders(register):
    register("same", grade)
"""

Install = Callable[..., None]
Write = Callable[[str, str], str]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts distributions where Python finds them: install("name", {"entry point": "module"}, module="source")."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    before = set(sys.modules)

    def put(distribution: str, points: dict[str, str], **modules: str) -> None:
        info = site / f"{distribution.replace('-', '_')}-2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 2.0\n")
        lines = [f"{name} = {target}" for name, target in points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[mra_bench]", *lines, ""]))
        for name, source in modules.items():
            (site / f"{name}.py").write_text(source)
        importlib.invalidate_caches()

    yield put
    for name in set(sys.modules) - before:
        if name.startswith("stranger"):
            del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a plugin file and gives its path."""

    def put(name: str, source: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
        return str(path)

    return put


def named(*names: str) -> Registry:
    return load_plugins(PluginSettings(named=names))


def plugin(registry: Registry, name: str) -> Plugin:
    (found,) = [p for p in registry.plugins if p.name == name]
    return found


def error_of(*names: str) -> str:
    with pytest.raises(UsageError) as error:
        named(*names)
    return str(error.value)


# Discovery


def test_the_built_in_plugins_are_found_and_usable() -> None:
    registry = load_plugins(PluginSettings())
    built_in = [p for p in registry.plugins if p.origin == "built-in"]
    assert [p.name for p in built_in] == BUILT_IN
    assert {p.error for p in built_in} == {""}
    assert set(KINDS) == {t.kind for t in registry.things}


def test_the_order_is_built_in_installed_environment_file(
    install: Install, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("zeta", {"a-zeta": "stranger_zeta"}, stranger_zeta=GRADER)
    install("alpha", {"z-alpha": "stranger_alpha"}, stranger_alpha=GRADER)
    first, second = write("one.py", GRADER), write("two.py", GRADER)
    monkeypatch.setenv("MRA_BENCH_PLUGINS", os.pathsep.join([first, "stranger_alpha", ""]))
    registry = load_plugins(PluginSettings.from_environment(files=(second,)))
    added = [(p.name, p.origin) for p in registry.plugins if p.origin != "built-in"]
    assert [p.origin for p in registry.plugins[: len(BUILT_IN)]] == ["built-in"] * len(BUILT_IN)
    expected = [("z-alpha", "installed"), ("a-zeta", "installed"), ("one", first), ("two", second)]
    assert [item for item in added if item in expected] == expected
    assert ("stranger_alpha", "stranger_alpha") not in added  # the module is there already, as an installed plugin


def test_a_file_and_a_module_can_be_named(
    install: Install, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site" / "stranger_module.py").write_text(GRADER)
    file = write("mine.py", GRADER)
    registry = named(file, "stranger_module")
    assert registry.resolve("graders", "mine:same").plugin.origin == file
    assert registry.resolve("graders", "stranger_module:same").plugin.origin == "stranger_module"


def test_the_same_file_twice_is_one_plugin(write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = write("mine.py", GRADER)
    monkeypatch.chdir(tmp_path)
    assert named(file, file, "./mine.py").resolve("graders", "same").full_name == "mine:same"


def test_only_own_plugins_when_the_others_are_disabled(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("stranger", {"stranger": "stranger_one"}, stranger_one=GRADER)
    assert "same" in load_plugins(PluginSettings()).names("graders")
    monkeypatch.setenv("MRA_BENCH_DISABLE_PLUGINS", "1")
    assert [p.name for p in load_plugins(PluginSettings()).plugins] == BUILT_IN
    monkeypatch.setenv("MRA_BENCH_DISABLE_PLUGINS", "0")
    assert "same" in load_plugins(PluginSettings()).names("graders")


@pytest.mark.parametrize("blocked", ["stranger", "stranger_one"])
def test_a_plugin_is_blocked_by_its_name_or_its_module(install: Install, blocked: str) -> None:
    install("stranger", {"stranger": "stranger_one"}, stranger_one="raise SystemExit('must not be imported')")
    registry = load_plugins(PluginSettings(blocked=(blocked, "echo")))
    assert not {"stranger", "echo"} & {p.name for p in registry.plugins}
    with pytest.raises(UsageError, match="Unknown model 'echo'"):
        registry.resolve("models", "echo")


def test_a_named_file_can_be_blocked_too(write: Write) -> None:
    file = write("mine.py", GRADER)
    assert "same" not in load_plugins(PluginSettings(named=(file,), blocked=("mine",))).names("graders")


# Broken plugins


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import there_is_no_such_module", "ModuleNotFoundError: No module named 'there_is_no_such_module'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError"),
        (GRADER.replace("    register(", "    1 / 0\n    register("), "ZeroDivisionError"),
        (GRADER.replace("register_graders", "register_grader"), "did you mean 'register_graders'?"),
        (GRADER.replace("(register):", "(registr):"), "registr"),
        (GRADER + '    register("same", grade)', "'same' is registered twice"),
        (GRADER.replace('"same", grade', '"same", 5'), "needs a function or class, got int"),
        (GRADER.replace('"same"', '"my:same"'), "'my:same' cannot be a name"),
        (GRADER.replace("grade)\n", 'grade, needs="vllm")\n'), "needs= must map modules to what pip installs"),
        (GRADER.replace("register_graders", "register_trainers"), "consumes= one of rows, pairs, problems"),
        (GRADER.replace("grade)\n", "grade, option=None)\n"), "takes no option=; did you mean 'options='?"),
        (GRADER.replace("grade)\n", 'grade, consumes="rows")\n'), "takes no consumes=; it takes options=, needs="),
        (GRADER.replace("register_graders", "register_report_sections"), "title= must be the section's heading"),
        (SECTION.replace("print", "5"), "needs a function or its place as 'module:function', got 5"),
    ],
)
def test_a_broken_plugin_is_listed_with_its_error_and_the_others_work(
    install: Install, write: Write, source: str, message: str
) -> None:
    install("stranger", {"bad": "stranger_bad", "good": "stranger_good"}, stranger_bad=source, stranger_good=GRADER)
    registry = load_plugins(PluginSettings())
    assert message in plugin(registry, "bad").error
    assert registry.resolve("graders", "same").full_name == "stranger_good:same"
    assert registry.resolve("models", "echo").plugin.origin == "built-in"
    with pytest.raises(UsageError, match=r"Unknown grader 'bad'.*Broken plugins: bad \("):
        registry.resolve("graders", "bad")
    with pytest.raises(UsageError, match=r"The plugin bad .* cannot be used") as strict:
        load_plugins(PluginSettings(strict=True))
    assert message in str(strict.value)
    assert message in error_of(write("mine.py", source))


def test_what_a_broken_plugin_offered_before_its_error_is_not_used(install: Install) -> None:
    install("stranger", {"bad": "stranger_bad"}, stranger_bad=GRADER + "    1 / 0")
    assert "same" not in load_plugins(PluginSettings()).names("graders")


def test_a_file_that_is_no_python_file_is_named_so(write: Write) -> None:
    assert "no Python file" in error_of(write("rows.csv", "a,b"))


def test_an_entry_point_must_name_a_module(install: Install) -> None:
    install("stranger", {"bad": "stranger_bad:grade"}, stranger_bad=GRADER)
    assert "a plugin is a module, but bad names a function" in plugin(load_plugins(PluginSettings()), "bad").error


def test_a_hook_of_a_newer_version_can_be_marked_optional(write: Write) -> None:
    newer = "\n@hookimpl(optionalhook=True)\ndef register_weather(register):\n    register('sun', grade)\n"
    assert "same" in named(write("mine.py", GRADER + newer)).names("graders")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere/mine.py", "no such file: nowhere/mine.py"),
        ("./folder", "neither a file ending in .py nor the name of a module"),
        ("there_is_no_such_module", "No module named 'there_is_no_such_module'"),
    ],
)
def test_a_plugin_the_user_names_must_load(name: str, message: str) -> None:
    assert message in error_of(name)


# Names


def test_a_clash_names_both_and_the_full_name_works(write: Write) -> None:
    registry = named(write("one.py", GRADER), write("two.py", GRADER))
    with pytest.raises(UsageError, match=r"'same' is offered more than once\. Say which: one:same or two:same"):
        registry.resolve("graders", "same")
    assert registry.resolve("graders", "two:same").plugin.name == "two"
    assert {"one:same", "two:same"} < set(registry.names("graders"))
    assert "same" not in registry.names("graders")


def test_two_files_of_one_name_cannot_be_told_apart(write: Write) -> None:
    message = error_of(write("a/mine.py", GRADER), write("b/mine.py", GRADER))
    assert "the name mine is taken by the plugin from" in message


def test_a_file_cannot_take_the_name_of_a_built_in_plugin(write: Write) -> None:
    assert "the name mra_echo is taken" in error_of(write("mra_echo.py", GRADER))


def test_an_unknown_name_is_answered_with_the_nearest_and_the_command() -> None:
    registry = load_plugins(PluginSettings())
    with pytest.raises(UsageError, match=r"Unknown model 'eco'\. Did you mean 'echo'.*mra-bench models"):
        registry.resolve("models", "eco")
    with pytest.raises(UsageError, match=r"Unknown trainer 'dop'.*mra-bench trainers"):
        registry.resolve("trainers", "dop")


# Options

OPTIONS = """
from dataclasses import dataclass
from mra_bench import Grade, hookimpl

@dataclass(frozen=True)
class Options:
    tolerance: float
    unit: str = ""

    def __post_init__(self):
        if self.tolerance < 0:
            raise ValueError("tolerance must not be negative")

def make(options):
    return lambda problem, text: Grade(correct=None, answer=f"{options.tolerance}{options.unit}")

@hookimpl
def register_graders(register):
    register("near", make, options=Options)
"""


def test_options_are_validated_and_given_to_the_factory(write: Write) -> None:
    near = named(write("mine.py", OPTIONS)).resolve("graders", "near")
    assert near.build({"tolerance": 1, "unit": "m"})(None, "").answer == "1.0m"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerence": 1}, "Unknown option 'tolerence' of the grader 'near'. Did you mean 'tolerance'?"),
        ({"x": 1}, "Unknown option 'x' of the grader 'near'. It takes: tolerance, unit."),
        ({"tolerance": "much"}, "Option 'tolerance' of the grader 'near': must be a number (got 'much')"),
        ({"tolerance": 1, "unit": 3}, "(got 3)"),
        ({"unit": "m"}, "The grader 'near' needs the option 'tolerance'"),
        ({"tolerance": -1}, "tolerance must not be negative"),
    ],
)
def test_a_wrong_option_is_named(write: Write, options: dict[str, object], message: str) -> None:
    near = named(write("mine.py", OPTIONS)).resolve("graders", "near")
    with pytest.raises(UsageError) as error:
        near.build(options)
    assert message in str(error.value)


def test_a_pydantic_model_can_describe_options_too(write: Write) -> None:
    source = OPTIONS.replace("from dataclasses import dataclass", "import pydantic")
    source = source.replace("@dataclass(frozen=True)\nclass Options:", "class Options(pydantic.BaseModel):")
    source = re.sub(r"\n    def __post_init__.*?negative\"\)\n", "", source, flags=re.DOTALL)
    near = named(write("mine.py", source)).resolve("graders", "near")
    assert near.build({"tolerance": 2})(None, "").answer == "2.0"
    with pytest.raises(UsageError, match="Did you mean 'unit'"):
        near.build({"units": "m"})


LATE = """
from mra_bench import Grade, hookimpl

def make(options):
    return lambda problem, text: Grade(correct=None, answer=options.unit)

@hookimpl
def register_graders(register):
    register("near", make, options="stranger_near_options:Options")
"""


def test_options_may_be_named_by_their_place_and_are_then_imported_when_asked_for(install: Install) -> None:
    options = "from dataclasses import dataclass\n@dataclass\nclass Options:\n    'unit: of it.'\n    unit: str = 'm'\n"
    install("mra-near", {"near": "stranger_near"}, stranger_near=LATE, stranger_near_options=options)
    near = load_plugins(PluginSettings()).resolve("graders", "near")
    assert "stranger_near_options" not in sys.modules
    assert near.build({"unit": "km"})(None, "").answer == "km"
    assert [(option.name, option.meaning) for option in options_of(near)] == [("unit", "of it.")]
    with pytest.raises(UsageError, match="Unknown option 'units' of the grader 'near'. Did you mean 'unit'"):
        near.parse_options({"units": "m"})


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("Optoins = dict", "AttributeError: module 'stranger_near_options' has no attribute 'Options'"),
        ("Options = 3", "TypeError: a int, not a class"),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
    ],
)
def test_options_that_are_not_at_their_place_are_told_where_they_are_needed(
    install: Install, capsys: pytest.CaptureFixture[str], module: str, message: str
) -> None:
    install("mra-near", {"near": "stranger_near"}, stranger_near=LATE, stranger_near_options=module)
    said = f"The options stranger_near_options:Options of the grader 'near' cannot be used: {message}"
    with pytest.raises(UsageError) as error:
        load_plugins(PluginSettings()).resolve("graders", "near").build({})
    assert str(error.value) == said
    assert call(["graders"]) == 0
    listed = capsys.readouterr().out
    assert f"near  (stranger_near:near)  broken: {said}\n" in listed
    assert "sympy  (mra_sympy:sympy)\n" in listed
    assert call(["graders", "--json"]) == 0
    listed = {row["name"]: row.get("error", "") for row in json.loads(capsys.readouterr().out)}
    assert listed == {"decision": "", "math-verify": "", "near": said, "sympy": ""}
    assert call(["plugins", "check", "near"]) == 1
    assert f"failed  grader near: its options parse: {said}" in capsys.readouterr().out


def test_a_place_that_cannot_be_one_is_told_at_once(write: Write) -> None:
    path = write("mine.py", OPTIONS.replace("options=Options", "options='Options'"))
    assert "options= must be a class or its place as 'module:Class', got 'Options'" in error_of(path)


def test_a_thing_without_options_takes_none(write: Write) -> None:
    same = named(write("mine.py", GRADER)).resolve("graders", "same")
    assert same.build({}) is same.target
    with pytest.raises(UsageError, match="The grader 'same' takes no options, but was given: tolerance"):
        same.build({"tolerance": 1})


def test_a_thing_that_needs_what_is_missing_is_offered_but_not_used(write: Write) -> None:
    needs = 'needs={"json": "never", "there_is_no": "mine[x]", "nor_this": "mine[x]", "or_that": "other>=2"}'
    (thing,) = [t for t in named(write("mine.py", GRADER.replace("grade)\n", f"grade, {needs})\n"))).of("graders")
                if t.name == "same"]  # fmt: skip
    assert thing.missing == "pip install 'mine[x]' 'other>=2'"
    with pytest.raises(UsageError, match=r"The grader 'same' needs what is not installed: pip install 'mine\[x\]'"):
        thing.build({})
    assert named(write("other.py", GRADER)).resolve("graders", "other:same").missing == ""


# Versions


def test_the_version_is_the_distributions_and_a_hash_of_the_source(install: Install, write: Write) -> None:
    install("stranger", {"stranger": "stranger_one"}, stranger_one=GRADER)
    version = plugin(load_plugins(PluginSettings()), "stranger").version
    assert re.fullmatch(r"2\.0\+src\.[0-9a-f]{12}", version)
    first = plugin(named(write("mine.py", GRADER)), "mine").version
    again = plugin(named(write("mine.py", GRADER)), "mine").version
    changed = plugin(named(write("mine.py", GRADER + "# another\n")), "mine").version
    assert first == again
    assert first != changed


def test_the_hash_covers_every_file_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, install: Install
) -> None:
    package = tmp_path / "site" / "stranger_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text(GRADER)
    (package / "helper.py").write_text("LIMIT = 1\n")
    module = importlib.import_module("stranger_package.plugin")
    before = source_hash(module)
    assert before == source_hash(module)
    (package / "helper.py").write_text("LIMIT = 2\n")
    assert source_hash(module) != before


# Whole processes


def python(code: str, **environment: str) -> str:
    """What a fresh interpreter prints for `code`."""
    result = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, timeout=100
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_loading_all_plugins_and_listing_datasets_imports_nothing_heavy() -> None:
    code = f"""
import sys
from mra_bench.datasets import dataset_names
from mra_bench.plugins import PluginSettings, load_plugins
registry = load_plugins(PluginSettings())
assert "arith" in dataset_names(registry) and all(plugin.version for plugin in registry.plugins)
print(*({HEAVY!r} & set(sys.modules)))
"""
    assert python(code, MRA_BENCH_DISABLE_PLUGINS="1") == ""


@pytest.mark.slow
def test_a_strangers_package_is_installed_and_found(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    shutil.copytree(Path(__file__).parent / "plugin_package", source, ignore=shutil.ignore_patterns("__pycache__"))
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("setuptools") else []
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", *isolation]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True, timeout=100)
    code = """
from mra_bench import Problem
from mra_bench.plugins import PluginSettings, load_plugins
registry = load_plugins(PluginSettings())
(plugin,) = [plugin for plugin in registry.plugins if plugin.name == "last-word"]
print(plugin.origin, plugin.package, plugin.version.partition("+")[0])
grader = registry.resolve("graders", "last-word").build({})
problem = Problem("1", "What is 2 + 2?", "4")
print(grader(problem, "so it is 4").correct, grader(problem, "so it is 5").correct, grader(problem, "").answer == "")
print(registry.resolve("graders", "mra_bench_last_word:last-word").full_name)
"""
    lines = python(code, PYTHONPATH=str(target)).splitlines()
    assert lines == ["installed mra_bench_last_word 1.2.3", "True False True", "mra_bench_last_word:last-word"]


def test_a_misspelt_plugin_to_block_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"'sympi'.*Did you mean 'sympy'"):
        load_plugins(PluginSettings(blocked=("sympi",)))


def test_a_named_plugin_that_offers_nothing_is_an_error(write: Write) -> None:
    file = write("nohook.py", "def register_graders(register):\n    register('x', print)\n")
    with pytest.raises(UsageError, match=r"nohook.*offers nothing.*@hookimpl"):
        load_plugins(PluginSettings(named=(file,)))
