import json
import subprocess

from gateway.demo_samples import FIRST, SAMPLES, status_with_curl, submit_with_curl

KEY = "ntf_live_abc"


def arguments_of(command):
    """What curl would be started with: a real shell reads the command."""
    script = "curl() { printf '%s\\0' \"$@\"; }\n" + command
    told = subprocess.run(["sh", "-c", script], capture_output=True, check=True, env={"LC_ALL": "C"}).stdout
    return told.decode().split("\0")[:-1]


def test_the_first_sample_is_the_request_of_the_documentation():
    assert json.dumps(FIRST.body) == (
        '{"notification_type": "email", "user_id": "user-123", "template_code": "welcome_email", "variables": '
        '{"name": "John Doe", "verification_link": "https://app.example.com/verify/abc123"}, '
        '"request_id": "req-123456", "priority": "high"}'
    )


def test_every_sample_has_a_request_id_of_its_own():
    assert len({sample.body["request_id"] for sample in SAMPLES}) == len(SAMPLES)


def test_a_shell_reads_what_was_meant():
    body = {"variables": {"name": "O'Neill $HOME `id` \\ \n “ليلى”"}}

    *words, data = arguments_of(submit_with_curl(body, base_url="http://127.0.0.1:4000", api_key=KEY))

    assert words == [
        *("-X", "POST", "http://127.0.0.1:4000/api/v1/notifications/"),
        *("-H", f"Authorization: Bearer {KEY}"),
        *("-H", "Content-Type: application/json"),
        "-d",
    ]
    assert json.loads(data) == body


def test_the_status_is_asked_with_the_id_to_be_filled_in():
    words = arguments_of(status_with_curl(base_url="http://127.0.0.1:4000", api_key=KEY))

    assert words == ["-H", f"Authorization: Bearer {KEY}", "http://127.0.0.1:4000/api/v1/notifications/ID/status"]
