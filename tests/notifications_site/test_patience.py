import pytest
from django.http import HttpResponse

from gateway.database_patience import seconds_left
from notifications_site.patience import PatienceMiddleware


@pytest.mark.parametrize(
    ("path", "least", "most"),
    [
        ("/api/v1/notifications/", 0, 1),
        ("/health/ready", 0, 1),
        ("/admin/gateway/notification/", 1, 30),
        ("/api/docs/errors/", 1, 30),
    ],
)
def test_programs_wait_briefly_and_people_longer(rf, settings, path, least, most):
    settings.DATABASE_PATIENCE_MS = 1000
    found = []

    def view(request):
        found.append(seconds_left())
        return HttpResponse()

    PatienceMiddleware(view)(rf.get(path))

    assert least < found[0] <= most
    assert seconds_left() is None


def test_the_setting_counts_in_milliseconds(rf, settings):
    settings.DATABASE_PATIENCE_MS = 60
    found = []

    PatienceMiddleware(lambda request: found.append(seconds_left()))(rf.get("/api/v1/notifications/"))

    assert 0 < found[0] <= 0.06
