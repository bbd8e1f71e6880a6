"""`mra_openai` against a server that fails, stalls and lies."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest
from endpoint_server import KEY, Answer, Asked, Says, Service, chat, endpoint, plain
from mra_openai import model, pace
from mra_openai.model import EndpointModel
from mra_openai.options import Options

from mra_bench.errors import BenchError, UsageError
from mra_bench.types import Block, Completion, Decoding, Problem, PromptStyle, Request


@pytest.fixture(autouse=True)
def no_time_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(pace, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(model, "GRACE", 5.0)


@pytest.fixture
def served() -> Iterator[Service]:
    with endpoint() as service:
        yield service


def asking(service: Service, **options: Any) -> EndpointModel:
    return EndpointModel(Options(**{"base_url": service.url, "model": "m", **options}))


def block(count: int = 1, **decoding: Any) -> Block:
    requests = tuple(Request(Problem(f"p{n}", f"What is {n} + 1?", "")) for n in range(count))
    return Block(requests, PromptStyle(), Decoding(**{"max_new_tokens": 16, **decoding}), 0)


def texts(service: Service, answer: Answer, count: int = 1, **options: Any) -> list[Completion]:
    service.answer = answer
    return list(asking(service, **options).generate(block(count)))


def until_error(rows: Iterator[Completion], said: str) -> list[Completion]:
    """What comes before the error that says so."""
    found: list[Completion] = []
    with pytest.raises(BenchError, match=said):
        deque(map(found.append, rows), maxlen=0)
    return found


def failing_first(*failures: Says) -> Answer:
    return lambda asked, count: failures[count] if count < len(failures) else chat()


def test_every_request_gets_its_text_with_what_the_server_reports(served: Service) -> None:
    found = texts(served, lambda asked, count: chat(f" said to {asked.question} \n"), 20, max_concurrency=4)
    assert {(c.problem_id, c.text) for c in found} == {(f"p{n}", f"said to What is {n} + 1?") for n in range(20)}
    assert found[0].notes == {"reported_model": "m", "system_fingerprint": "fp_1"}
    assert (found[0].prompt_tokens, found[0].tokens, found[0].finish) == (10, 5, "stop")
    assert len(served.asked) == 20


def test_no_more_requests_at_once_than_allowed(served: Service) -> None:
    together = threading.Barrier(3, timeout=20)  # breaks unless three are there at once
    here, most, lock = [0], [0], threading.Lock()

    def answer(asked: Asked, count: int) -> Any:
        with lock:
            here[0] += 1
            most[0] = max(most[0], here[0])
        together.wait()
        with lock:
            here[0] -= 1
        return chat()

    assert len(texts(served, answer, 9, max_concurrency=3)) == 9
    assert most == [3]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_what_fails_for_now_is_asked_again(served: Service, status: int) -> None:
    (found,) = texts(served, failing_first(Says({"error": "busy"}, status), Says({}, status)))
    assert found.notes["sent_again"] == 2


@pytest.mark.parametrize(
    "wrong",
    [
        Says(b"<html></html>"),
        Says(b'{"choices": [{"mess'),
        Says(chat(), cut=True),
        Says(chat(choices=[])),
        Says(b"\xff\xfe\x00"),
        Says({"error": {"message": "overloaded"}}),
    ],
    ids=["html", "half", "cut", "empty", "bytes", "error"],
)
def test_what_is_no_answer_is_asked_again_and_then_named(served: Service, wrong: Says) -> None:
    (found,) = texts(served, failing_first(wrong))
    assert found.notes["sent_again"] == 1
    with pytest.raises(BenchError, match=r"answered with|broke off") as failed:
        texts(served, lambda asked, count: wrong, retries=2)
    assert "3 times in a row" in str(failed.value)


def test_a_stalled_connection_times_out_and_is_asked_again(served: Service) -> None:
    (found,) = texts(served, failing_first(Says(stall=True)), timeout=0.5)
    assert found.notes["sent_again"] == 1
    with pytest.raises(BenchError, match=r"did not answer within 0\.2 seconds, 2 times in a row"):
        texts(served, lambda asked, count: Says(stall=True), timeout=0.2, retries=1)


def test_the_wait_that_the_server_asks_for_is_kept(served: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[float] = []
    monkeypatch.setattr(pace.Pace, "hold", lambda self, seconds: held.append(seconds))
    texts(served, failing_first(Says({}, 429, {"Retry-After": "0.03"}), Says({}, 503, {"Retry-After": "0"})))
    texts(served, failing_first(*(Says({}, 429, {"Retry-After": odd}) for odd in ("inf", "nan", "soon", "-3"))))
    assert held == [0.03, 0.0, 0.0]
    with pytest.raises(BenchError, match="It asks to wait 60 minutes"):
        texts(served, lambda asked, count: Says({}, 429, {"Retry-After": "3600"}))
    in_two_hours = formatdate(time.time() + 7200, usegmt=True)
    with pytest.raises(BenchError, match=r"It asks to wait (119|120) minutes"):
        texts(served, lambda asked, count: Says({}, 429, {"Retry-After": in_two_hours}))


@pytest.mark.parametrize(
    ("says", "said"),
    [
        (Says({"error": {"message": "no key"}}, 401), "error 401: no key. It wants a key"),
        (Says({"error": {"message": "not you"}}, 403), "The key may not ask for 'm'"),
        (Says({"detail": "Not Found"}, 404), "Its models: mm, other. Did you mean 'mm'?"),
        (Says({"error": {"message": "max_tokens is not supported"}}, 400), "Set the option length_field: max_compl"),
        (Says({"error": {"message": "temperature must be 1"}}, 400), "body: {temperature: null}"),
        (
            Says(chat("Q: Count from 1 to 100.\nA: 1, 2, 3", usage={"prompt_tokens": 9, "completion_tokens": 2})),
            "repeats",
        ),
        (Says({"detail": "the maximum context length is 9"}, 400), "context length is 9. Lower max_new_tokens"),
        (Says({"detail": "no"}, 422), "error 422: no. The problem was 'check'."),
        (Says({"error": {"code": "insufficient_quota", "message": "pay"}}, 429), "error 429: pay"),
        (
            Says({}, 302, {"Location": "http://elsewhere.example/v1?key=1"}),
            "elsewhere, to http://elsewhere.example/v1,",
        ),
        (Says({}, 307, {"Location": "/v2/chat/completions"}), "they do not follow"),
        (Says(chat(model="other")), "asked for the model 'm' and reports 'other'"),
        (Says(chat("...", "content_filter")), "allow_filtered: true"),
        (Says(chat(None, "tool_calls")), "ended the text for the problem 'check' by 'tool_calls'"),
        (Says(chat("x" * 9, usage={"prompt_tokens": 1, "completion_tokens": 400})), "does not keep to max_tokens"),
        (Says(chat("12 345 " * 1000, usage=None)), "wrote 7,000 characters where 16 tokens were the limit"),
    ],
)
def test_what_another_try_would_not_change_is_refused_at_once(served: Service, says: Says, said: str) -> None:
    served.answer = lambda asked, count: says
    served.models = ("mm", "other")
    with pytest.raises(UsageError) as refused:
        asking(served).check_ready()
    assert said in str(refused.value)
    assert [asked.path for asked in served.asked].count("/v1/chat/completions") == 1


def test_nobody_there_is_said_soon(served: Service) -> None:
    with endpoint() as gone:
        pass
    with pytest.raises(UsageError, match="cannot be reached or broke off"):
        asking(gone).check_ready()


def test_a_check_asks_once_and_for_little(served: Service) -> None:
    asking(served, length_field="max_completion_tokens").check_ready()
    (asked,) = served.asked
    assert asked.is_check
    assert asked.body["max_completion_tokens"] == 16
    served.answer = lambda asked, count: Says({"error": {"message": "the model output limit was reached"}}, 400)
    asking(served).check_ready()  # a reasoning model that has used it up by thinking


def test_texts_are_cut_here_whatever_the_server_does_about_stop_strings(served: Service) -> None:
    served.answer = lambda asked, count: plain("It is 4.\nQuestion: What is 5?\nAnswer: 5", "length")
    (found,) = asking(served, api="completions").generate(block())
    assert (found.text, found.finish) == ("It is 4.", "stop")
    served.answer = lambda asked, count: chat("so \\boxed{4} and END more", "length")
    (found,) = asking(served).generate(block(stop=("END",), stop_after_answer=True))
    assert (found.text, found.finish) == ("so \\boxed{4}", "stop")
    (found,) = asking(served).generate(block(stop=("END",)))
    assert (found.text, found.finish) == ("so \\boxed{4} and", "stop")
    (found,) = asking(served).generate(block())
    assert found.finish == "length"
    served.answer = lambda asked, count: plain(asked.question + " It is 4.")
    assert not until_error(asking(served, api="completions").generate(block()), "repeats the prompt before its text")


def test_what_a_server_leaves_out_is_guessed_and_marked(served: Service) -> None:
    (found,) = texts(served, lambda asked, count: chat("It is 4.", None, usage=None))
    assert (found.finish, found.tokens) == ("stop", 3)
    assert found.notes["tokens_guessed"] == found.notes["finish_guessed"] == 1
    full = {"prompt_tokens": 1, "completion_tokens": 16}
    (found,) = texts(served, lambda asked, count: chat("It is", None, usage=full))
    assert found.finish == "length"
    (found,) = texts(served, lambda asked, count: chat("It", "content_filter"), allow_filtered=True)
    assert (found.text, found.notes["filtered"]) == ("It", 1)
    (found,) = texts(served, lambda asked, count: chat(model="another"), reports="another")
    assert found.notes["reported_model"] == "another"


def test_reasoning_that_is_not_in_the_text_is_no_breach_of_the_limit(served: Service) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 300, "completion_tokens_details": {"reasoning_tokens": 290}}
    (found,) = texts(served, lambda asked, count: chat(usage=usage))
    assert (found.tokens, found.notes["reasoning_tokens"]) == (300, 290)


def test_after_an_error_what_is_under_way_still_comes_and_nothing_new_is_sent(served: Service) -> None:
    first = threading.Event()

    def answer(asked: Asked, count: int) -> Any:
        if asked.question == "What is 0 + 1?":
            first.wait(20)
            return Says({"error": "gone"}, 403)
        first.set()
        time.sleep(0.2)  # under way while the other fails
        return chat()

    served.answer = answer
    came = until_error(asking(served, max_concurrency=2).generate(block(50)), "403")
    assert "p1" in [completion.problem_id for completion in came]
    assert len(served.asked) < 50


def test_a_generator_that_is_closed_early_leaves_no_thread(served: Service) -> None:
    names = {thread.name for thread in threading.enumerate()}
    rows = asking(served).generate(block(50))
    next(rows)
    rows.close()  # type: ignore[attr-defined]
    assert {thread.name for thread in threading.enumerate() if thread.name == "mra-openai"} <= names


def test_cost_is_counted_and_the_budget_stops(served: Service) -> None:
    options = {"input_price": 1000.0, "output_price": 2000.0, "budget": 0.1, "max_concurrency": 1}
    served.answer = lambda asked, count: chat()  # 10 in and 5 out: 0.02 a text
    asked = asking(served, **options)
    said = r"The budget of 0\.1 for 'm' is spent: its texts cost about 0\.1\."
    assert len(until_error(asked.generate(block(20)), said)) == 5
    assert until_error(asked.generate(block(20)), said) == []
    assert len(served.asked) == 5
    assert asked.note == "50 + 25 tokens, cost 0.1"
    begun = asking(served, **options)
    begun.begin({"cost": 0.07})
    came = until_error(begun.generate(block(20)), "budget")
    assert [completion.notes["cost"] for completion in came] == [0.02, 0.02]


def test_the_key_is_sent_to_the_endpoint_and_named_in_no_error(
    served: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-this-host-1234")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    asking(served).check_ready()
    asking(served, key_env="MY_KEY").check_ready()
    assert "authorization" not in served.asked[0].headers
    assert served.asked[1].headers["authorization"] == f"Bearer {KEY}"
    assert not any("org-mine" in str(asked.headers) for asked in served.asked)
    for status in (401, 403, 404, 418, 500):
        served.answer = lambda asked, count, status=status: Says(  # type: ignore[misc]
            {"error": {"message": f"Incorrect key {KEY}"}}, status, {"Location": KEY}
        )
        with pytest.raises(UsageError) as refused:
            asking(served, key_env="MY_KEY").check_ready()
        assert KEY not in str(refused.value)
        assert f"Incorrect key {'***'}" in str(refused.value)
    served.answer = lambda asked, count: chat(f"your key is {KEY}", model=f"m-{KEY}", system_fingerprint=KEY)
    (found,) = asking(served, key_env="MY_KEY", reports="m-***").generate(block())
    assert KEY not in repr(found)
