"""What holds for every project."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.sim.ramp import contributors_by_percent
from chalicelib.sim.result import SimulateResult
from tests.sim.cases import answer, as_dict, burn_down_by_states, largest_gap, laws

few = settings(max_examples=40, deadline=None)

samples = st.lists(st.integers(0, 12), min_size=1, max_size=8).filter(lambda values: max(values) >= 1)


@st.composite
def projects(draw: st.DrawFn) -> dict[str, Any]:
    total = draw(st.sampled_from([1, 2, 3, 4.5]))
    return {
        "tpSamples": draw(samples),
        "numberOfTasks": draw(st.integers(0, 25)),
        "totalContributors": total,
        "minContributors": draw(st.sampled_from([1, total])),
        "sCurveSize": draw(st.integers(0, 50)),
        "ltSamples": draw(st.lists(st.integers(0, 40), max_size=5)),
        "splitRateSamples": draw(st.lists(st.sampled_from([0.8, 1, 1.25, 1.4]), max_size=2)),
        "risks": draw(
            st.lists(
                st.builds(
                    lambda likelihood, low, more: {
                        "likelihood": likelihood,
                        "lowImpact": low,
                        "highImpact": low + more,
                    },
                    st.integers(0, 100),
                    st.integers(0, 5),
                    st.integers(0, 5),
                ),
                max_size=2,
            )
        ),
    }


@few
@given(projects())
def test_percentiles_rise_and_chances_add_up(fields: dict[str, Any]) -> None:
    result = answer(**fields)
    for values in (result.percentiles.values(), result.effort.percentiles.values(), result.tasks.percentiles.values()):
        assert list(values) == sorted(values)
    assert abs(sum(row.probability for row in result.distribution) - 1) < 1e-9
    assert result.distribution[-1].cumulative == 1.0


@few
@given(projects())
def test_same_request_gives_the_same_bytes(fields: dict[str, Any]) -> None:
    assert msgspec.json.encode(answer(**fields)) == msgspec.json.encode(answer(**fields))


@few
@given(projects(), st.randoms(use_true_random=False))
def test_order_of_samples_does_not_matter(fields: dict[str, Any], random: Any) -> None:
    shuffled = dict(fields)
    for name in ("tpSamples", "ltSamples", "splitRateSamples"):
        shuffled[name] = random.sample(fields[name], len(fields[name]))
    assert answer(**shuffled).distribution == answer(**fields).distribution


@few
@given(projects())
def test_risk_that_cannot_happen_changes_nothing(fields: dict[str, Any]) -> None:
    more = [*fields["risks"], {"likelihood": 0, "lowImpact": 3, "highImpact": 9}]
    assert as_dict(laws(**{**fields, "risks": more}).weeks) == as_dict(laws(**fields).weeks)


@few
@given(samples, st.integers(1, 60))
def test_more_throughput_is_never_later(values: list[int], tasks: int) -> None:
    slow = answer(tpSamples=values, numberOfTasks=tasks).percentiles.values()
    fast = answer(tpSamples=[value + 1 for value in values], numberOfTasks=tasks).percentiles.values()
    assert all(sooner <= later for sooner, later in zip(fast, slow, strict=True))


@few
@given(samples, st.integers(0, 60))
def test_more_tasks_are_never_sooner(values: list[int], tasks: int) -> None:
    less = answer(tpSamples=values, numberOfTasks=tasks).percentiles.values()
    more = answer(tpSamples=values, numberOfTasks=tasks + 1).percentiles.values()
    assert all(sooner <= later for sooner, later in zip(less, more, strict=True))


@few
@given(samples, st.integers(1, 40), st.sampled_from([2, 3, 10]))
def test_scale_of_samples_and_tasks_together_does_not_matter(values: list[int], tasks: int, factor: int) -> None:
    once = as_dict(laws(tpSamples=values, numberOfTasks=tasks).weeks)
    many = as_dict(laws(tpSamples=[value * factor for value in values], numberOfTasks=tasks * factor).weeks)
    assert once == many


@few
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=3).filter(any),
    st.integers(1, 6),
    st.sampled_from([(1.0, 3.0), (0.5, 2.0), (2.0, 2.5)]),
    st.integers(1, 50),
)
def test_changing_team_agrees_with_a_model_followed_state_by_state(
    values: list[int], tasks: int, team: tuple[float, float], ramp: int
) -> None:
    low, high = team
    curve = [str(size) for size in contributors_by_percent(low, high, ramp)]
    weeks, effort = burn_down_by_states(tasks, [str(value) for value in values], curve, str(high))
    sizes = {"minContributors": low, "maxContributors": high, "totalContributors": high, "sCurveSize": ramp}
    found = laws(tpSamples=values, numberOfTasks=tasks, **sizes)
    assert largest_gap(as_dict(found.weeks), weeks) < 1e-11
    assert largest_gap(as_dict(found.effort), effort) < 1e-11


def trials(**fields: Any) -> SimulateResult:
    return answer(**{"numberOfSimulations": 400, **fields}, engine="monte_carlo", seed=11)


@few
@given(projects())
def test_percentiles_of_trials_rise_and_trials_add_up(fields: dict[str, Any]) -> None:
    result = trials(**fields)
    for values in (result.percentiles.values(), result.effort.percentiles.values(), result.tasks.percentiles.values()):
        assert list(values) == sorted(values)
    assert sum(row.trials for row in result.completion_times) == 400
    assert result.distribution[-1].cumulative == 1.0


@few
@given(projects(), st.randoms(use_true_random=False))
def test_order_of_the_samples_does_not_matter_to_trials(fields: dict[str, Any], random: Any) -> None:
    shuffled = {
        name: random.sample(value, len(value)) if name.endswith("Samples") else value for name, value in fields.items()
    }
    assert trials(**shuffled).completion_times == trials(**fields).completion_times


@few
@given(projects())
def test_risk_that_cannot_happen_changes_no_trial(fields: dict[str, Any]) -> None:
    more = [*fields["risks"], {"likelihood": 0, "lowImpact": 3, "highImpact": 9}]
    assert trials(**{**fields, "risks": more}).completion_times == trials(**fields).completion_times


@few
@given(samples, st.integers(1, 60))
def test_more_throughput_makes_no_percentile_of_trials_later(values: list[int], tasks: int) -> None:
    slow = trials(tpSamples=values, numberOfTasks=tasks, numberOfSimulations=4_000)
    fast = trials(tpSamples=[value + 1 for value in values], numberOfTasks=tasks, numberOfSimulations=4_000)
    for row in slow.distribution:
        within = max((each.cumulative for each in fast.distribution if each.weeks <= row.weeks), default=0.0)
        # Smirnov's one-sided bound: exp(-2 * 3.2 ** 2), one false alarm in a thousand million.
        assert within >= row.cumulative - 3.2 * (2 / 4_000) ** 0.5


@few
@given(samples, st.integers(1, 40), st.sampled_from([2, 3, 10]))
def test_scale_of_samples_and_tasks_together_changes_no_trial(values: list[int], tasks: int, factor: int) -> None:
    once = trials(tpSamples=values, numberOfTasks=tasks)
    many = trials(tpSamples=[value * factor for value in values], numberOfTasks=tasks * factor)
    assert once.completion_times == many.completion_times


@settings(max_examples=25, deadline=None)
@given(projects(), st.sampled_from(["bootstrap", "weibull"]))
def test_exact_law_is_what_trials_tend_to(fields: dict[str, Any], sampling: str) -> None:
    count = 40_000
    drawn = answer(**fields, sampling=sampling, engine="monte_carlo", numberOfSimulations=count, seed=5)
    exact = {row.weeks: row.cumulative for row in answer(**fields, sampling=sampling).distribution}
    for row in drawn.distribution:
        chance = exact.get(row.weeks, 1.0)
        # Six standard errors at every week: less than one false alarm in a million examples.
        assert abs(row.cumulative - chance) <= 6 * (chance * (1 - chance) / count) ** 0.5 + 1e-4
