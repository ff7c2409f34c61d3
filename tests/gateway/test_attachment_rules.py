"""What may be attached: names, types, sizes."""

import pytest

from gateway import attachment_rules as rules
from gateway.attachment_rules import NotAttachable


@pytest.mark.parametrize("name", ["invoice.pdf", "Rechnung für Jürgen.pdf", "請求書.pdf", "README", "a.tar.gz", "exe"])
def test_ordinary_names_are_taken(name):
    assert rules.checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "../etc/passwd", "a/b.pdf", "C:\\a.pdf", "a\r\nBcc: x.pdf", "a\x00.pdf", ".bashrc", "a.pdf ", " a.pdf"),
        *("a.pdf.", "x" * 151, "invoice\u202efdp.exe", "invoice\u202efdp.txt", "a\u2066.pdf"),
    ],
)
def test_a_name_holds_no_path_and_nothing_that_deceives(name):
    with pytest.raises(NotAttachable):
        rules.checked_name(name)


@pytest.mark.parametrize("name", ["setup.exe", "invoice.pdf.js", "RUN.BAT", "screen.Scr", "a.ps1", "b.jar", "c.lnk"])
def test_what_runs_is_refused_by_its_ending(name):
    with pytest.raises(NotAttachable, match="Files that run are not sent"):
        rules.checked_name(name)


@pytest.mark.parametrize("content_type", ["application/pdf", "image/svg+xml", "text/csv", "Application/PDF"])
def test_media_types_are_taken(content_type):
    assert rules.checked_type(content_type) == content_type.lower()


@pytest.mark.parametrize(
    "content_type",
    [
        *("", "pdf", "application/", "text/plain; charset=x", "text/plain\r\nBcc: x", "a b/c", "x/" + "y" * 100),
        *("message/rfc822", "multipart/mixed", "application/x-msdownload", "text/javascript"),
    ],
)
def test_other_types_are_refused(content_type):
    with pytest.raises(NotAttachable):
        rules.checked_type(content_type)


@pytest.mark.parametrize("size", [0, rules.LARGEST_FILE + 1])
def test_an_empty_or_too_large_file_is_refused(size):
    with pytest.raises(NotAttachable):
        rules.checked_size(size)
    assert rules.checked_size(rules.LARGEST_FILE) == rules.LARGEST_FILE


@pytest.mark.parametrize("content_id", ["", "<logo>", "a b", "a\r\nb", "-a", "x" * 101])
def test_a_content_id_is_a_word(content_id):
    with pytest.raises(NotAttachable):
        rules.checked_content_id(content_id)
    assert rules.checked_content_id("logo-1.small@shop") == "logo-1.small@shop"
