from datetime import timedelta

from consumers import progress as progress_module
from consumers.progress import Progress


def test_progress_counts_and_knows_how_long_nothing_moved(monkeypatch):
    now = 100.0
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now)
    progress = Progress()
    now = 107.0
    assert progress.still_for() == timedelta(seconds=7)
    progress.note(3)
    progress.note(0)
    assert progress.still_for() == timedelta(0)
    assert progress.handed_over == 3
