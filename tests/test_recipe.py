"""Recipes: what is accepted, what is refused and with which words, and which models a choice pulls in."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from mra_bench.errors import UsageError
from mra_bench.recipe import lineage, load_recipe, select_models, to_yaml, validate_recipe
from mra_bench.recipes import read_recipe, recipe_names, recipe_text
from mra_bench.settings import apply_setting


@pytest.fixture
def data() -> dict[str, Any]:
    return {
        "name": "mine",
        "datasets": {
            "train": {"data": "arith", "split": "train", "limit": 100},
            "dev": {"carve": "train", "count": 10},
            "test": {"data": "arith", "split": "test"},
        },
        "models": {
            "base": {"model": "tiny-qwen2"},
            "sft": {"from": "base", "trainer": "sft", "data": "train"},
            "sft-more": {"from": "sft", "trainer": "sft", "data": "train", "control_for": "dpo"},
            "dpo": {"from": "sft", "trainer": "dpo", "data": "train", "pairs": {"samples_per_problem": 4}},
        },
        "evaluate": {"datasets": ["test", "dev"]},
    }


@pytest.mark.parametrize("name", recipe_names())
def test_packaged_recipes_are_valid_and_named_like_their_file(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description


def test_a_control_may_be_that_of_several_models(data: dict[str, Any]) -> None:
    assert validate_recipe(data, "test").models["sft-more"].control_for == ["dpo"]
    data["models"]["dpo-2"] = data["models"]["dpo"]
    data["models"]["sft-more"]["control_for"] = ["dpo", "dpo-2"]
    assert validate_recipe(data, "test").models["sft-more"].control_for == ["dpo", "dpo-2"]
    data["models"]["sft-more"]["control_for"] = ["dpo", "dop-2"]
    with pytest.raises(UsageError, match="Did you mean 'dpo-2'"):
        validate_recipe(data, "test")


def test_resolved_recipe_reads_back_as_itself(data: dict[str, Any]) -> None:
    recipe = validate_recipe(data, "test")
    assert validate_recipe(yaml.safe_load(to_yaml(recipe)), "again") == recipe


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("modles",), {}, ["unknown key 'modles'", "did you mean 'models'"]),
        (("models", "sft", "trainr"), "sft", ["models.sft.trainr", "did you mean 'trainer'"]),
        (("models", "sft", "from"), "bas", ["'bas'", "Did you mean 'base'", "Known: base, dpo, sft, sft-more"]),
        (("models", "sft", "data"), "trian", ["'trian'", "Did you mean 'train'"]),
        (("evaluate", "datasets"), ["tset"], ["'tset'", "Did you mean 'test'"]),
        (("datasets", "dev", "carve"), "tain", ["'tain'", "Did you mean 'train'"]),
        (("evaluate", "samples"), 0, ["evaluate.samples", "got 0"]),
        (("evaluate", "datasets"), ["test", "test"], ["named twice"]),
        (("evaluate", "samples"), 4, ["temperature"]),
        (("datasets", "train", "split"), None, ["Say which split 'train' is"]),
        (("models", "sft-more", "from"), "base", ["'sft-more' is no control for 'dpo'"]),
        (("seed",), "one", ["'seed'", "got 'one'"]),
        (("grading",), {"second": 3}, ["grading.second", "did you mean 'seconds'"]),
        (("grading",), {"seconds": 0}, ["grading.seconds", "got 0"]),
        (("grading",), {"seconds": float("inf")}, ["grading.seconds", "finite", "got inf"]),
        (("grading",), {"memory_mb": "much"}, ["grading.memory_mb", "got 'much'"]),
        (("grading",), 5, ["grading", "got 5"]),
        (("contamination",), "ignore", ["'contamination'", "got 'ignore'"]),
        (("name",), "../up", ["'../up'", "letters, digits"]),
        (("models", "base", "from"), "sft", ["either 'model: NAME'"]),
        (("datasets", "test", "carve"), "train", ["carve"]),
    ],
)
def test_errors_name_the_bad_value_and_the_nearest(
    data: dict[str, Any], path: tuple[str, ...], value: Any, words: list[str]
) -> None:
    target = data
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(UsageError) as caught:
        validate_recipe(data, "mine.yaml")
    for word in words:
        assert word in str(caught.value)


def test_missing_key_is_named(data: dict[str, Any]) -> None:
    del data["evaluate"]
    with pytest.raises(UsageError, match="'evaluate' is missing"):
        validate_recipe(data, "mine.yaml")


def test_cycle_is_refused_and_shown(data: dict[str, Any]) -> None:
    data["models"]["base"] = {"from": "dpo", "trainer": "sft", "data": "train"}
    with pytest.raises(UsageError, match=r"cycle.*base <- "):
        validate_recipe(data, "mine.yaml")


def test_own_parent_is_a_cycle(data: dict[str, Any]) -> None:
    data["models"]["sft"]["from"] = "sft"
    with pytest.raises(UsageError, match="cycle"):
        validate_recipe(data, "mine.yaml")


def test_a_choice_pulls_in_its_ancestors_and_says_which(data: dict[str, Any]) -> None:
    recipe = validate_recipe(data, "mine")
    assert select_models(recipe, ["dpo"]) == (["base", "sft", "dpo"], ["base", "sft"])
    assert select_models(recipe, ["base", "sft"]) == (["base", "sft"], [])
    assert select_models(recipe, None)[0] == list(data["models"])
    assert lineage(recipe, "sft-more") == ["base", "sft", "sft-more"]


def test_unknown_model_in_a_choice(data: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="Did you mean 'dpo'"):
        select_models(validate_recipe(data, "mine"), ["dop"])


def test_settings_reach_nested_values_and_read_numbers(data: dict[str, Any]) -> None:
    apply_setting(data, "models.sft.options.learning_rate=1e-5")
    apply_setting(data, "seed=3")
    apply_setting(data, "evaluate.stop=['###']")
    recipe = validate_recipe(data, "mine")
    assert recipe.models["sft"].options == {"learning_rate": 1e-5}
    assert recipe.seed == 3
    assert recipe.evaluate.stop == ["###"]


@pytest.mark.parametrize("setting", ["seed", "=3", "a..b=1", "seed.deeper=1"])
def test_malformed_settings(data: dict[str, Any], setting: str) -> None:
    before = copy.deepcopy(data) | {"seed": 1}
    with pytest.raises(UsageError, match="--set"):
        apply_setting(before, setting)


def test_unknown_recipe_and_missing_file(tmp_path: Any) -> None:
    with pytest.raises(UsageError, match="Did you mean 'smoke'"):
        recipe_text("smok")
    with pytest.raises(UsageError, match="no recipe file"):
        recipe_text(str(tmp_path / "none.yaml"))


def test_broken_yaml_is_named(tmp_path: Any) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("name: [1, 2\nmodels: {")
    with pytest.raises(UsageError, match=r"broken\.yaml, line 2: not valid YAML"):
        load_recipe(str(path))
    path.write_text("just words")
    with pytest.raises(UsageError, match="mapping"):
        load_recipe(str(path))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("seed=abc", "'seed': must be a whole number (got 'abc')"),
        ("seed=-1", "'seed': must be 0 or more (got -1)"),
        ("seed=true", "'seed': must be a whole number (got True)"),
        ("evaluate.repeat=true", "'evaluate.repeat': must be a whole number (got True)"),
        ("datasets.test.limit=true", "'datasets.test.limit': must be a whole number (got True)"),
        ("evaluate.temperature=true", "'evaluate.temperature': must be a number (got True)"),
        ("graders=sympy", "'graders': must be a list (got 'sympy'); write [sympy]"),
        ("graders=[]", "'graders': must hold 1 or more (got an empty list)"),
        ("evaluate.stop_after_answer=maybe", "must be true or false (got 'maybe')"),
        ("contamination=no-such", "must be 'refuse', 'allow' or 'drop' (got 'no-such')"),
        ("name=5", "'name': must be text (got 5); write \"5\", with the quotes"),
        ("evaluate.top_p=3", "must be 1 or less (got 3)"),
        ("models.sft.learning_rate=1", "is it an option? Then write 'models.sft.options.learning_rate'"),
        ("models.sft.trainr=x", "unknown key 'models.sft.trainr'; did you mean 'trainer'?"),
        ("models.dpo.pairs.temprature=1", "did you mean 'temperature'?"),
        ("models.dpo.pairs.temperature=0", "several samples at temperature 0 are all the same"),
        ("models.sftt.options.learning_rate=1", "Unknown model 'sftt'"),
        ("models.sftt.seed=1", "Did you mean 'sft'?"),
        ("datasets.tset.limit=3", "Did you mean 'test'?"),
        ("seed=[1", "--set seed=[1: the value: not valid YAML (expected ',' or ']', but got '<stream end>')"),
        ("graders.0=x", "'graders' is a list; give the whole of it, as in --set 'graders=[ONE, TWO]'"),
        ("seed.x=1", "'seed' holds no keys in this recipe, but 0"),
        ("seed={a: 1, a: 2}", "the key 'a' is there twice"),
    ],
)
def test_a_setting_that_cannot_be_is_told_in_plain_words(setting: str, words: str) -> None:
    def changed() -> None:
        data = read_recipe("smoke")
        apply_setting(data, setting)
        validate_recipe(data, "smoke")

    with pytest.raises(UsageError) as error:
        changed()
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert "Input should" not in str(error.value)


def test_a_setting_may_begin_a_new_model() -> None:
    data = read_recipe("smoke")
    for setting in ("models.sft2.from=base", "models.sft2.trainer=sft", "models.sft2.data=train", "models.sft2.seed=1"):
        apply_setting(data, setting)
    assert validate_recipe(data, "smoke").models["sft2"].seed == 1


def test_one_sample_for_pairs_may_be_greedy() -> None:
    recipe = read_recipe("smoke")
    apply_setting(recipe, "models.dpo.pairs.temperature=0")
    apply_setting(recipe, "models.dpo.pairs.samples_per_problem=1")
    pairs = validate_recipe(recipe, "smoke").models["dpo"].pairs
    assert pairs is not None
    assert pairs.temperature == 0
