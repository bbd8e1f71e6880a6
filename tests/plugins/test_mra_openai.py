"""The parts of `mra_openai` that need no server: options and keys, reading of answers, names, pace."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from endpoint_server import KEY, chat, plain
from mra_openai.keys import hidden, looks_like_key, read_key
from mra_openai.names import same_model
from mra_openai.options import Options
from mra_openai.pace import LONGEST_WAIT, Pace, Spread, backoff
from mra_openai.prompts import MOST_STOPS, Format
from mra_openai.reply import Broken, Usage, listed, read_reply, shown, whole

from mra_bench.contracts import build_model
from mra_bench.errors import UsageError
from mra_bench.option_values import option_names
from mra_bench.plugins import PluginSettings, Registered, load_plugins
from mra_bench.types import Block, Decoding, Problem, PromptStyle, Request

URL = "http://localhost:8000/v1"


@pytest.fixture(scope="module")
def loader() -> Registered:
    return load_plugins(PluginSettings()).resolve("models", "openai")


@pytest.mark.parametrize(
    "given",
    [
        {"base_url": f"http://user:{KEY}@host/v1"},
        {"base_url": f"http://host/{KEY}/v1"},
        {"base_url": f"http://host/v1?api-key={KEY}"},
        {"model": KEY},
        {"key_env": KEY},
        {"key_env": "sk-ant-api03-abcdefghijklmnop"},
        {"reports": f"x {KEY}"},
        {"body": {"user": KEY}},
        {"body": {"headers": [{"Authorization": f"Bearer {KEY}"}]}},
        {"body": {KEY: 1}},
        {"system": "your key is hf_abcdefghijklmnopqrstuvwx"},
        {"body": {"token": "3f2a9c0d8b7e6f5a4c3b2d1e0f9a8b7c"}},
        {"api_key": KEY},
        {"max_concurrency": True},
    ],
    ids=lambda given: next(iter(given)),
)
def test_a_key_among_the_options_is_refused_and_not_repeated(loader: Registered, given: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as refused:
        loader.parse_options({"base_url": URL, "model": "m", **given})
    said = str(refused.value)
    for secret in (KEY, "hf_abc", "sk-ant", "3f2a9c0d"):
        assert secret not in said


@pytest.mark.parametrize(
    "name",
    [
        "meta-llama/Llama-3.3-70B-Instruct-Turbo-FP8-Dynamic",
        "ft:gpt-4o-2024-08-06:my-org:custom:9AbCdEf1",
        "/home/me/.cache/huggingface/hub/models--Qwen--Qwen2.5/snapshots/060db6499f32faf8b98477b0a26969ef7d8b9987",
        "qwen2.5-math-1.5b-instruct-q4_k_m.gguf",
        "Show your work step by step, then give the number.",
        "OPENAI_API_KEY",
    ],
)
def test_what_is_no_key_is_taken(name: str) -> None:
    assert not looks_like_key(name)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"base_url": "localhost:8000/v1"}, "must be an address such as"),
        ({"base_url": "ftp://host/v1"}, "must be an address such as"),
        ({"base_url": "http://host:99999/v1"}, "must be an address such as"),
        ({"base_url": f"{URL}/chat/completions"}, "is the part before /chat/completions"),
        ({"base_url": f"{URL}?x=1"}, "leave out what begins with ?"),
        ({"body": {"messages": []}}, "must not hold messages"),
        ({"api": "completions", "system": "s"}, "a system message needs api: chat"),
        ({"budget": 1.0}, "a budget needs prices"),
        ({"timeout": 0}, "must be more than 0"),
        ({"key_env": "my key"}, "must be the name of an environment variable"),
        ({"max_concurency": 3}, "Did you mean 'max_concurrency'?"),
    ],
)
def test_options_that_cannot_work_are_refused(loader: Registered, given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        loader.parse_options({"base_url": URL, "model": "m", **given})


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_key("") == ""
    with pytest.raises(UsageError, match="MY_KEY, which key_env names, is not set"):
        read_key("MY_KEY")
    monkeypatch.setenv("MY_KEY", f" {KEY}\n")
    assert read_key("MY_KEY") == KEY
    monkeypatch.setenv("MY_KEY", "two words\u00e9")
    with pytest.raises(UsageError) as refused:
        read_key("MY_KEY")
    assert "two words" not in str(refused.value)
    assert hidden(f"you sent {KEY}!", KEY) == "you sent ***!"
    assert hidden("none of it", "none") == "none of it"


def test_identity_says_who_is_asked_how_and_nothing_of_pace_or_price(loader: Registered) -> None:
    same = [
        build_model(loader, {"base_url": f"{URL}/", "model": "m", "key_env": "MY_KEY", **more}).identity()
        for more in ({}, {"budget": 2.0, "input_price": 1.0, "max_concurrency": 2, "timeout": 1.0, "retries": 0})
    ]
    assert same[0] == same[1]
    assert same[0]["served"] == {"endpoint": URL, "model": "m"}
    assert "MY_KEY" not in json.dumps(same[0])
    other = build_model(loader, {"base_url": URL, "model": "m", "body": {"reasoning_effort": "low"}})
    assert other.identity() != same[0]
    assert not other.reproducible
    assert other.checkpoint() is None


def block(sample: int = 0, temperature: float = 0.0, stop: tuple[str, ...] = ()) -> tuple[Request, Block]:
    request = Request(Problem("p1", "2 + 2?", "4"), sample)
    how = Decoding(max_new_tokens=64, temperature=temperature, top_p=0.9, stop=stop)
    return request, Block((request,), PromptStyle("Box it."), how, 7)


def test_the_fields_of_a_request() -> None:
    form = Format(Options(URL, "m", system="Be short."))
    assert form.fields(*block()) == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "2 + 2?\nBox it."}],
        "max_tokens": 64,
        "temperature": 0.0,
    }
    assert form.render(Problem("p1", "2 + 2?", "4"), PromptStyle("Box it.")) == "Be short.\n\n2 + 2?\nBox it."
    drawn = [form.fields(*block(sample, 0.7)) for sample in (0, 1, 0)]
    assert drawn[0]["seed"] == drawn[2]["seed"] != drawn[1]["seed"]
    assert drawn[0]["top_p"] == 0.9
    base = Format(Options(URL, "m", api="completions", length_field="max_completion_tokens"))
    fields = base.fields(*block(stop=("a", "b", "c")))
    assert fields["prompt"] == "Box it.\nQuestion: 2 + 2?\nAnswer:"
    assert fields["max_completion_tokens"] == 64
    assert len(fields["stop"]) == MOST_STOPS
    assert base.continuation("x") == " x"


def test_fields_of_the_user_replace_ours_and_null_leaves_one_out() -> None:
    form = Format(Options(URL, "m", body={"temperature": None, "seed": None, "reasoning_effort": "low"}))
    fields = form.fields(*block(1, 0.7))
    assert "temperature" not in fields
    assert "seed" not in fields
    assert fields["reasoning_effort"] == "low"
    fixed = Format(Options(URL, "m", body={"seed": 3}))
    assert fixed.fields(*block(0, 0.7))["seed"] == 3
    with pytest.raises(UsageError, match="all samples of a problem the same text"):
        fixed.fields(*block(1, 0.7))


def read(data: Any, charset: str = "", is_chat: bool = True) -> Any:
    return read_reply(data if isinstance(data, bytes) else json.dumps(data).encode(), charset, is_chat)


def test_a_reply_as_it_should_be() -> None:
    reply = read(chat("It is 4."))
    assert (reply.text, reply.finish, reply.usage) == ("It is 4.", "stop", Usage(10, 5))
    assert (reply.model, reply.fingerprint) == ("m", "fp_1")
    assert read(plain("4"), is_chat=False).text == "4"
    parts = [{"type": "text", "text": "It is"}, {"type": "image"}, {"type": "text", "text": " 4."}]
    assert read(chat(parts)).text == "It is 4."
    assert read(chat(None, "length")).text == ""  # nothing but reasoning
    details = {"prompt_tokens": 1, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}}
    assert read(chat(usage=details)).usage == Usage(1, 9, 7)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<html>Bad gateway</html>", "no JSON; it begins with '<html>Bad gateway</html>'"),
        (b"", "an empty body"),
        (b'{"choices": [', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"x": "\xe9"}', "no UTF-8"),
        ([], "no JSON object but of the kind list"),
        (chat(choices=[]), "no choices"),
        (chat(choices=None), "no choices"),
        (chat(choices=["text"]), "a choice that is of the kind str"),
        (chat(choices=[{"finish_reason": "stop"}]), "a choice without a message"),
        (chat(42), "a text that is of the kind int"),
        ({"error": {"message": "overloaded\n\x1b[31mnow"}}, "an error under the status of success: overloaded"),
        (b'data: {"choices": []}\n\n', "no JSON; it begins with 'data:"),
    ],
)
def test_a_reply_that_is_none_is_named(data: Any, said: str) -> None:
    with pytest.raises(Broken) as broken:
        read(data)
    assert said in str(broken.value)
    assert "\x1b" not in str(broken.value)


def test_text_of_another_encoding_and_lone_surrogates() -> None:
    content = json.dumps(chat("caf\u00e9"), ensure_ascii=False)
    assert read(content.encode("latin-1"), "iso-8859-1").text == "caf\u00e9"
    assert read(content.encode("utf-8"), "iso-8859-1").text == "caf\u00e9"
    with pytest.raises(Broken, match="no UTF-8 and no nonsense"):
        read(content.encode("latin-1"), "nonsense")
    text = read(b'{"choices": [{"message": {"content": "a \\ud83d\\ude00 b \\ud800 c"}}]}').text
    assert text == "a \U0001f600 b \ufffd c"
    text.encode("utf-8")
    assert whole("plain") == "plain"


@pytest.mark.parametrize(
    "usage",
    [None, [], {}, {"prompt_tokens": 3}, {"prompt_tokens": -1, "completion_tokens": 2}, {"prompt_tokens": "3"}],
)
def test_usage_that_is_none_is_none(usage: Any) -> None:
    assert read(chat(usage=usage)).usage is None


def test_lists_of_models_and_what_a_server_says_are_made_fit_to_show() -> None:
    assert listed(b'{"data": [{"id": "a"}, {"id": 3}]}') == ["a"]
    assert listed(b"<html>") == listed(b'{"data": 3}') == []
    assert len(shown("x" * 500)) == 200
    assert shown("a\n\tb\x00\x1b[0m") == "a b [0m"


@pytest.mark.parametrize(
    ("asked", "reported", "same"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o-mini", "gpt-4o", False),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06", False),
        ("claude-x-latest", "claude-x-20250101", True),
        ("llama3.2", "llama3.2:latest", True),
        ("llama3.2:1b", "llama3.2:3b", False),
        ("Qwen/Qwen2.5-7B", "qwen2.5-7b", True),
        ("/models/tiny", "/models/tiny@main", True),
        ("model-q4.gguf", "/srv/model-q4.gguf", True),
        ("m", "", True),
        ("m", "gpt-3.5-turbo", False),
    ],
)
def test_whether_the_reported_model_is_the_one_asked_for(asked: str, reported: str, same: bool) -> None:
    assert same_model(asked, reported) is same


def test_requests_are_spread_evenly_and_never_more_than_the_limit() -> None:
    spread = Spread(60)
    assert [spread.reserve(1, 0.0) for _ in range(4)] == [0.0, 1.0, 2.0, 3.0]
    assert spread.reserve(1, 100.0) == 0.0  # idle time saves nothing up
    assert spread.reserve(1, 100.0) == 1.0
    assert Spread(None).reserve(9, 0.0) == 0.0


def test_tokens_are_corrected_by_what_was_used_and_a_hold_holds_everything() -> None:
    now = 10.0
    pace = Pace(None, 600, lambda: now)
    assert pace.wait(100) == 0.0
    assert pace.wait(100) == pytest.approx(10.0)  # 100 of 600 a minute are 10 seconds
    pace.correct(-150)
    assert pace.wait(10) == pytest.approx(5.0)
    pace.hold(30)
    assert Pace(None, None, lambda: now).wait(5) == 0.0
    assert pace.wait(0) == pytest.approx(30.0)


def test_waits_double_up_to_a_bound_and_the_last_half_is_drawn() -> None:
    assert [backoff(n, lambda: 1.0) for n in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, 8.0]
    assert backoff(3, lambda: 0.0) == 2.0
    assert backoff(99, lambda: 1.0) == LONGEST_WAIT


def test_the_recipes_of_the_docs_are_taken_and_every_option_is_on_the_page(loader: Registered) -> None:
    page = (Path(__file__).parents[2] / "docs" / "endpoints.md").read_text("utf-8")
    found = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)]
    assert len(found) >= 6
    for recipe in found:
        for entry in recipe["models"].values():
            assert loader.parse_options(entry["options"]).url == entry["options"]["base_url"]
    for option in option_names(Options):
        assert option in page, option
