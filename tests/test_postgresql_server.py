"""The server of one's own does what its users rely on."""

import psycopg
import pytest


def test_it_keeps_what_was_committed_through_a_crash(own_postgresql):
    url = own_postgresql.create_database("crashed")
    own_postgresql.execute("CREATE TABLE kept (id int)", name="crashed")
    own_postgresql.execute("INSERT INTO kept VALUES (1)", name="crashed")

    own_postgresql.stop("immediate")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    assert not own_postgresql.is_running
    own_postgresql.start()

    assert own_postgresql.execute("SELECT id FROM kept", name="crashed") == [(1,)]


def test_frozen_it_takes_connections_and_says_nothing(own_postgresql):
    own_postgresql.freeze()
    try:
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            psycopg.connect(own_postgresql.url(), connect_timeout=2)
    finally:
        own_postgresql.thaw()

    assert own_postgresql.execute("SELECT 1") == [(1,)]
