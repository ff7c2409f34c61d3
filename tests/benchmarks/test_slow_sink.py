"""The sink that takes its time, spoken to by smtplib."""

import asyncio
import smtplib
import threading

import pytest

from benchmarks import slow_sink


@pytest.fixture
def port():
    """Of a sink that runs in a thread of its own."""
    ports, loop = [], asyncio.new_event_loop()
    listens = threading.Event()

    async def serve():
        server = await asyncio.start_server(lambda r, w: slow_sink.serve(r, w, 0.0), "127.0.0.1", 0, limit=1 << 20)
        ports.append(server.sockets[0].getsockname()[1])
        listens.set()
        await stopped.wait()
        server.close()

    stopped = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert listens.wait(30)
    yield ports[0]
    loop.call_soon_threadsafe(stopped.set)
    thread.join(30)
    loop.close()


def test_it_takes_many_mails_on_one_connection(port):
    with smtplib.SMTP("127.0.0.1", port) as server:
        for _ in range(3):
            assert server.sendmail("shop@example.com", ["ann@example.com"], b"Subject: Hi\r\n\r\n.one\r\n") == {}


def test_a_client_may_leave_without_a_word(port):
    server = smtplib.SMTP("127.0.0.1", port)
    server.ehlo()
    server.close()
    with smtplib.SMTP("127.0.0.1", port) as another:
        assert another.noop()[0] == 250
