import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings

from notifications_site import env
from notifications_site.env import WrongSetting
from users.rates import Rate

M = {"meaning": "for tests"}


@pytest.fixture(autouse=True)
def _own_variables(monkeypatch):
    """What these tests read must not become part of the documentation."""
    monkeypatch.setattr(env, "VARIABLES", {})


@pytest.fixture
def given(monkeypatch):
    def set_variable(value, name="THING"):
        monkeypatch.setenv(name, value)

    return set_variable


def test_without_a_variable_the_default_holds():
    assert env.text("THING", "plain", **M) == "plain"
    assert env.integer("THING", 7, least=1, most=9, **M) == 7
    assert env.choice("THING", "a", allowed=("a", "b"), **M) == "a"
    assert env.flag("THING", True, **M) is True
    assert env.words("THING", ["x", "y"], **M) == ["x", "y"]
    assert env.database("THING", {"NAME": "file"}, shown_default="a file", **M) == {"NAME": "file"}


@pytest.mark.parametrize("value", ["", "   "])
def test_an_empty_variable_is_none(given, value):
    given(value)

    assert env.text("THING", "plain", **M) == "plain"


def test_a_default_list_is_not_shared():
    default = ["x"]
    env.words("THING", default, **M).append("y")

    assert default == ["x"]


@pytest.mark.parametrize(("value", "expected"), [("1", 1), ("65535", 65535), (" 3000 ", 3000)])
def test_an_integer_within_its_limits(given, value, expected):
    given(value)

    assert env.integer("THING", 7, least=1, most=65535, **M) == expected


@pytest.mark.parametrize("value", ["0", "65536", "-1", "three", "3.5", "1e3"])
def test_an_integer_outside_says_name_value_and_limits(given, value):
    given(value)

    with pytest.raises(WrongSetting) as caught:
        env.integer("THING", 7, least=1, most=65535, **M)
    assert str(caught.value) == f"THING is '{value}'; a whole number from 1 to 65535 is needed."


def test_a_wrong_choice_names_all_choices(given):
    given("prod")

    with pytest.raises(WrongSetting, match=r"THING is 'prod'; allowed are local, production\."):
        env.choice("THING", "local", allowed=("local", "production"), **M)


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("TRUE", True), ("yes", True), ("on", True), ("0", False), ("No", False)]
)
def test_a_flag_has_many_spellings(given, value, expected):
    given(value)

    assert env.flag("THING", not expected, **M) is expected


def test_any_other_flag_is_wrong(given):
    given("maybe")

    with pytest.raises(WrongSetting, match=r"THING is 'maybe'; true or false is needed\."):
        env.flag("THING", False, **M)


def test_words_stand_between_commas(given):
    given(" smtp, sendgrid ,,")

    assert env.words("THING", [], **M) == ["smtp", "sendgrid"]


def test_a_database_address_becomes_djangos_settings(given):
    given("postgres://ann:s%40cret@db:5433/notify")

    config = env.database("THING", {}, shown_default="", **M)

    assert config["ENGINE"] == "django.db.backends.postgresql"
    shown = tuple(config[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME"))
    assert shown == ("ann", "s@cret", "db", 5433, "notify")


@pytest.mark.parametrize(
    "value", ["mysql://ann:s3cret@db/notify", "postgres://ann:s3cret@db", "postgres://ann:s3cret@db:port/notify"]
)
def test_a_wrong_database_address_is_told_without_its_password(given, value):
    given(value)

    with pytest.raises(WrongSetting) as caught:
        env.database("THING", {}, shown_default="", **M)
    assert str(caught.value).startswith("THING ")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "value", ["amqp://mq", "amqps://ann:s%40cret@mq.internal:5671/live", "amqp://guest:guest@[::1]:5672/"]
)
def test_a_broker_address_is_taken_as_it_is(given, value):
    given(value)

    assert env.broker_url("THING", **M) == value


def test_without_a_broker_address_there_is_none():
    assert env.broker_url("THING", **M) == ""


@pytest.mark.parametrize(
    "value", ["redis://ann:s3cret@mq", "amqp://ann:s3cret@", "amqp://ann:s3cret@mq:port/", "amqp://ann:s3cret@mq:0"]
)
def test_a_wrong_broker_address_is_told_without_its_password(given, value):
    given(value)

    with pytest.raises(WrongSetting) as caught:
        env.broker_url("THING", **M)
    assert str(caught.value).startswith("THING ")
    assert "amqp://user:password@host:5672/vhost" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "value", ["redis://cache", "redis://:s3cret@cache:6379/2", "rediss://ann:s3cret@cache", "redis+cluster://a:7000/0"]
)
def test_the_address_of_redis(given, value):
    given(value)

    assert env.redis_url("THING", **M) == value


def test_without_an_address_of_redis_there_is_none():
    assert env.redis_url("THING", **M) == ""


@pytest.mark.parametrize(
    "value",
    ["http://:s3cret@cache", "redis://:s3cret@", "redis://:s3cret@cache:port/", "redis://:s3cret@cache/one", "cache:1"],
)
def test_a_wrong_address_of_redis_is_told_without_its_password(given, value):
    given(value)

    with pytest.raises(WrongSetting) as caught:
        env.redis_url("THING", **M)
    assert str(caught.value).startswith("THING ")
    assert "redis://:password@host:6379/0" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_cluster_has_one_database(given):
    given("redis+cluster://cache/3")

    with pytest.raises(WrongSetting, match="THING names database 3"):
        env.redis_url("THING", **M)


def test_rates_change_only_what_they_name(given):
    given("submit=100/m, open=5/10s")
    defaults = {"submit": Rate(1, 1), "open": Rate(2, 1), "read": Rate(3, 1)}

    assert env.rates("THING", defaults, **M) == {"submit": Rate(100, 60), "open": Rate(5, 10), "read": Rate(3, 1)}
    assert env.VARIABLES["THING"].default == "submit=1/s,open=2/s,read=3/s"


@pytest.mark.parametrize("value", ["fly=1/m", "submit=1/d", "submit"])
def test_a_wrong_rate_stops_the_start(given, value):
    given(value)

    with pytest.raises(WrongSetting, match=r"^THING: "):
        env.rates("THING", {"submit": Rate(1, 1)}, **M)


def test_a_value_may_stand_in_a_file(given, tmp_path):
    (tmp_path / "secret").write_text("from a file\n")
    given(str(tmp_path / "secret"), "THING_FILE")

    assert env.text("THING", "plain", **M) == "from a file"


def test_both_at_once_are_refused(given, tmp_path):
    given("one")
    given(str(tmp_path / "other"), "THING_FILE")

    with pytest.raises(WrongSetting, match="THING and THING_FILE are both set"):
        env.text("THING", "plain", **M)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(given, tmp_path, content):
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    given(str(path), "THING_FILE")

    with pytest.raises(WrongSetting, match=r"THING_FILE is .*secret.*cannot be read"):
        env.text("THING", "plain", **M)


def test_every_reading_is_noted_for_the_documentation():
    env.text("THING", "/home/ann/var", meaning="Where.", shown_default="var/")
    env.words("OTHER", ["a", "b"], meaning="Which.")

    noted = {
        "THING": env.Variable(name="THING", default="var/", meaning="Where."),
        "OTHER": env.Variable(name="OTHER", default="a,b", meaning="Which."),
    }
    assert noted == env.VARIABLES


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "three thousand"),
        ("PORT", "65533"),  # a consumer's port would be past the last one
        ("ENVIRONMENT", "prod"),
        ("DATABASE_URL", "mysql://ann:s3cret@db/notify"),
        ("SECRET_KEY_FILE", "/nowhere/secret"),
    ],
)
def test_manage_py_stops_with_one_line_that_names_the_variable(tmp_path, variable, value):
    done = subprocess.run(
        [sys.executable, settings.BASE_DIR / "manage.py", "check"],
        env={"VAR_DIR": str(tmp_path), "PATH": os.environ["PATH"], variable: value},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{variable} ")


def test_outside_of_local_a_secret_key_is_demanded(tmp_path):
    done = subprocess.run(
        [sys.executable, settings.BASE_DIR / "manage.py", "check"],
        env={"VAR_DIR": str(tmp_path), "PATH": os.environ["PATH"], "ENVIRONMENT": "production"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith("SECRET_KEY is not set; with ENVIRONMENT=production it is needed")


# --- mail -------------------------------------------------------------------------------------------------------------
def test_a_mail_server_is_taken_as_it_is_written(given):
    given("smtp+tls://shop:s3cret@mail.example.com:587/?timeout=20")
    assert env.mail_server("THING", **M) == "smtp+tls://shop:s3cret@mail.example.com:587/?timeout=20"


def test_no_mail_server_is_empty():
    assert env.mail_server("THING", **M) == ""


def test_a_wrong_mail_server_names_the_variable_and_not_the_password(given):
    given("smtp://shop:s3cret@mail.example.com:port")
    with pytest.raises(WrongSetting, match=r"^THING is not an address") as caught:
        env.mail_server("THING", **M)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("value", ["shop@example.com", "Shop <shop@example.com>", '"Shop, Inc" <shop@bücher.example>'])
def test_a_sender_is_taken_as_it_is_written(given, value):
    given(value)
    assert env.mailbox("THING", "a@example.com", **M) == value


@pytest.mark.parametrize("value", ["Shop", "shop@", "Shop <shop>", "a@example.com, b@example.com"])
def test_a_sender_without_an_address_names_the_variable(given, value):
    given(value)
    with pytest.raises(WrongSetting, match=r"^THING is .* an address is needed, such as Shop <shop@example.com>"):
        env.mailbox("THING", "a@example.com", **M)


def test_a_value_with_a_form_of_its_own_is_refused_with_the_name_of_its_variable(monkeypatch):
    monkeypatch.setenv("SOME_NUMBERS", "1,x")
    with pytest.raises(env.WrongSetting, match=r"SOME_NUMBERS: .*'x'"):
        env.parsed("SOME_NUMBERS", lambda text: [int(each) for each in text.split(",")], meaning="Numbers.")
    monkeypatch.setenv("SOME_NUMBERS", "1,2")
    assert env.parsed("SOME_NUMBERS", lambda text: text.split(","), meaning="Numbers.") == ["1", "2"]


# --- addresses, lengths of time ---------------------------------------------------------------------------------------


def length(**how):
    return env.duration("THING", timedelta(hours=1), shown_default="1h", least=timedelta(minutes=1), **M, **how)


@pytest.mark.parametrize(("value", "seconds"), [("", 3600), ("90s", 90), ("30m", 1800), ("2d", 172_800)])
def test_a_length_of_time_is_read(given, value, seconds):
    given(value)
    assert length() == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", ["1", "1 h", "-1h", "30s", "0h", "1w", "٣h", "9999999h"])
def test_a_length_of_time_that_is_none_or_too_short_is_refused(given, value):
    given(value)
    with pytest.raises(WrongSetting, match=r"THING is .* 45s, 30m, 12h or 7d is needed, at least 0:01:00"):
        length()


@pytest.mark.parametrize("value", ["", "https://chat.example.com/hook?key=1", "http://127.0.0.1:8080/"])
def test_a_web_address_is_taken_as_it_is(given, value):
    given(value)
    assert env.web_address("THING", **M) == value


@pytest.mark.parametrize(
    "value",
    [
        "ftp://chat.example.com/s3cret",
        "https:///s3cret",
        "https://h:99999/s3cret",
        "file:///s3cret",
        "https://h/s3 cret",
    ],
)
def test_what_is_no_web_address_is_refused_without_being_repeated(given, value):
    given(value)
    with pytest.raises(WrongSetting, match="THING is not an address") as caught:
        env.web_address("THING", **M)
    assert "cret" not in str(caught.value)
