import pytest

from users.key_ring import EncryptionKey, read_keys

SECRET, OTHER = "s" * 32, "o" * 40


def test_keys_stand_in_order_with_their_ids():
    assert read_keys(f"k2:{SECRET}, k1:{OTHER}") == (EncryptionKey("k2", SECRET), EncryptionKey("k1", OTHER))


def test_a_secret_alone_gets_an_id_of_its_own_always_the_same():
    (first,), (again,), (other,) = read_keys(SECRET), read_keys(SECRET), read_keys(OTHER)

    assert first == again
    assert first.id != other.id
    assert first.secret == SECRET


def test_nothing_is_no_key():
    assert read_keys(" , ") == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("k1:short-s3cret", "key 1 is too short"),
        (f"{SECRET},x", "key 2 is too short"),
        (f"not an id:{SECRET}", "key 1 has no usable id"),
        (f"k1:{SECRET},K1:{OTHER}", "'k1' stands twice"),
    ],
)
def test_what_cannot_be_used_is_refused_without_repeating_a_secret(text, says):
    with pytest.raises(ValueError, match=says) as refused:
        read_keys(text)

    assert "s3cret" not in str(refused.value)


def test_a_key_never_shows_its_secret():
    assert SECRET not in repr(read_keys(SECRET))
