"""The rules as written in the settings."""

from datetime import timedelta

import pytest

from consumers.delivery_rules import READERS, DeliveryRules, Rules, WrongRule, read_rules


def read(text: str) -> DeliveryRules:
    return read_rules(text, max_attempts=8)


def test_without_any_rule_the_defaults_hold():
    assert read("") == DeliveryRules(default=Rules(max_attempts=8))
    assert read(" , ,").of("email", "smtp") == Rules()


def test_a_provider_wins_over_its_channel_and_that_over_the_default():
    rules = read("email.max_attempts=5, smtp.max_attempts=3,email.first_retry=1m")
    assert rules.of("email", "smtp").max_attempts == 3
    assert rules.of("email", "smtp").first_retry == timedelta(minutes=1)
    assert rules.of("email", "sendgrid").max_attempts == 5
    assert rules.of("push", "fcm") == Rules()
    assert rules.max_attempts("email", "smtp") == 3


def test_every_rule_can_be_set():
    text = (
        "email.max_attempts=2,email.first_retry=5s,email.longest_retry=2h,email.breaker_failures=9,"
        "email.breaker_pause=1m,email.breaker_window=30,email.breaker_rate=25%,email.rate=600/m"
    )
    assert read(text).of("email", "smtp") == Rules(
        max_attempts=2,
        first_retry=timedelta(seconds=5),
        longest_retry=timedelta(hours=2),
        breaker_failures=9,
        breaker_pause=timedelta(minutes=1),
        breaker_window=30,
        breaker_rate=0.25,
        rate=10,
    )
    assert set(READERS) == set(Rules.__dataclass_fields__)


@pytest.mark.parametrize(("written", "per_second"), [("50/s", 50), ("600/m", 10), ("1800/h", 0.5), ("1/h", 1 / 3600)])
def test_a_rate_is_so_many_a_second(written, per_second):
    assert read(f"smtp.rate={written}").of("email", "smtp").rate == per_second


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("email.speed=5", "names the rule 'speed'; there are max_attempts, first_retry"),
        ("email.rate=5", "has the value '5'; a rate such as 50/s"),
        ("email.rate=0/s", "a rate such as"),
        ("email.rate=５/s", "a rate such as"),
        ("email.max_attempts=0", "a whole number from 1 to 50 is needed"),
        ("email.max_attempts=²", "a whole number from 1 to 50 is needed"),
        ("email.breaker_rate=0%", "a share from 1% to 100% is needed"),
        ("email.breaker_rate=0.5", "a share from 1% to 100% is needed"),
        ("email.breaker_pause=soon", "a duration such as 45s"),
        ("email.breaker_window=4", "a whole number from 5"),
        ("email.max_attempts", "is no rule; <email|push|provider>.<rule>=<value> is needed"),
        ("max_attempts=3", "is no rule"),
        ("=", "is no rule"),
        ("email.rate=5/s,email.rate=6/s", "'email.rate=6/s' stands there although the rule was given before"),
        ("smtp.first_retry=2h", "for smtp the first_retry of 7200s is longer than the longest_retry of 900s"),
    ],
)
def test_a_faulty_item_is_named_with_what_is_allowed(text, words):
    with pytest.raises(WrongRule) as wrong:
        read(f"push.max_attempts=2,{text}")
    assert words in str(wrong.value)


def test_a_rule_may_be_written_with_spaces():
    assert read(" smtp.rate = 5/s ").of("email", "smtp").rate == 5
