from tests.journeys.chromium import browser  # noqa: F401  a fixture
