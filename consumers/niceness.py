"""How a process lets others on this machine go first, so that who asks is answered while a backlog drains."""

import errno
import os
import time
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

#: As far as niceness goes.
LEAST_URGENT = 19
#: Linux shares the processors among sessions first (sched(7), "The autogroup feature"): in a session of its own the
#: niceness of a process alone changes nothing for the processes of others.
AUTOGROUP = Path("/proc/self/autogroup")
#: It takes a change ten times a second at the most, of all sessions together. Tries, and seconds between them.
TRIES, PAUSE = 10, 0.12


def give_way(niceness: int) -> None:
    """Let others go first, as far as `niceness` says. Before any thread: they inherit it.

    Up to 19 as nice(1) has it; 20 is a class of its own (Linux' SCHED_IDLE): not even a turn that has begun is finished
    when somebody else wants the processor.
    """
    if niceness > LEAST_URGENT and hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        niceness = max(min(niceness, LEAST_URGENT), os.getpriority(os.PRIO_PROCESS, 0))
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
    if os.getsid(0) == os.getpid():  # else the session is somebody else's, a shell's for instance
        _give_way_as_session(min(niceness, LEAST_URGENT))


def _give_way_as_session(niceness: int) -> None:
    for _ in range(TRIES):
        try:
            AUTOGROUP.write_text(str(niceness), encoding="ascii")
        except OSError as error:
            if error.errno == errno.EAGAIN:
                time.sleep(PAUSE)
                continue
            if AUTOGROUP.exists():  # another system has none
                log.info("The session keeps its share of the processors.", action="start", error=str(error))
        return
