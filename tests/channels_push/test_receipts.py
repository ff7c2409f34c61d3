"""Only who has the push has the proof."""

import uuid

import pytest

from channels_push.receipts import Receipt, ReceiptForged, read_receipt, receipt_for

PUSH, DEVICE = uuid.uuid4(), uuid.uuid4()


def test_a_receipt_names_push_and_device():
    proof = receipt_for(notification_id=PUSH, device_id=DEVICE)
    assert len(proof) == 64
    assert read_receipt(proof) == Receipt(notification_id=PUSH, device_id=DEVICE)


@pytest.mark.parametrize(
    "change", [lambda p: p[:-4] + "AAAA", lambda p: "AAAA" + p[4:], lambda p: p[:-4], lambda p: "é", lambda p: ""]
)
def test_what_was_changed_is_refused(change):
    with pytest.raises(ReceiptForged):
        read_receipt(change(receipt_for(notification_id=PUSH, device_id=DEVICE)))


def test_another_secret_makes_other_receipts(settings):
    proof = receipt_for(notification_id=PUSH, device_id=DEVICE)
    settings.SECRET_KEY = "another"
    with pytest.raises(ReceiptForged):
        read_receipt(proof)
