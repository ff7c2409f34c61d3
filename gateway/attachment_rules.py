"""What may be attached to a mail: how much, of which kind, under which name. Pure: no query, no clock."""

import re
from datetime import timedelta

#: Attachments of one notification.
MOST_PER_MAIL = 10
#: Bytes of one file, and of all those of a mail: as they travel these are 25 MB, which most mailbox providers take.
LARGEST_FILE, LARGEST_MAIL = 10 * 1024 * 1024, 18 * 1024 * 1024
#: Bytes of the uploads one client keeps here, in one mode.
MOST_STORED = 1024 * 1024 * 1024
#: An upload can be named in requests for so long.
UPLOADS_KEPT = timedelta(days=7)
LONGEST_NAME = 150
LONGEST_TYPE = 100

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
_CONTENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")
#: Controls, and the marks that make a name read from the other side: `invoice\u202efdp.exe`.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_PATH_SIGNS = re.compile(r'[/\\:*?"<>|]')
#: What runs when it is opened; Gmail refuses mails with these (https://support.google.com/mail/answer/6590).
RUNS = frozenset(
    [
        *("ade", "adp", "apk", "appx", "appxbundle", "bat", "cab", "chm", "cmd", "com", "cpl", "diagcab"),
        *("diagcfg", "diagpkg", "dll", "dmg", "ex", "ex_", "exe", "hta", "img", "ins", "iso", "isp", "jar"),
        *("jnlp", "js", "jse", "lib", "lnk", "mde", "mjs", "msc", "msi", "msix", "msixbundle", "msp", "mst"),
        *("nsh", "pif", "ps1", "reg", "scr", "sct", "shb", "sys", "vb", "vbe", "vbs", "vhd", "vxd", "wsc"),
        *("wsf", "wsh", "xll"),
    ]
)
_TYPES_THAT_RUN = frozenset(
    [
        "application/x-msdownload",
        "application/x-msdos-program",
        "application/x-dosexec",
        "application/x-executable",
        "application/vnd.microsoft.portable-executable",
        "application/x-msi",
        "application/hta",
        "application/x-sh",
        "application/java-archive",
        "application/javascript",
        "application/x-javascript",
        "text/javascript",
        "text/vbscript",
    ]
)


class NotAttachable(ValueError):
    """It cannot be attached. `code` is one of those clients may rely on; the message names the remedy."""

    def __init__(self, detail: str, code: str = "invalid") -> None:
        super().__init__(detail)
        self.code = code


def checked_name(name: str) -> str:
    """A file's name without a path. Raises `NotAttachable`."""
    if not name:
        raise NotAttachable("A file needs a name, such as invoice.pdf.", "blank")
    if len(name) > LONGEST_NAME:
        raise NotAttachable(f"A name has at most {LONGEST_NAME} characters.", "too_long")
    if _UNFIT.search(name):
        raise NotAttachable("Control characters and marks that turn the writing are not allowed in a name.")
    if _PATH_SIGNS.search(name):
        raise NotAttachable('A name holds no path, and none of / \\ : * ? " < > |')
    if name != name.strip() or name.startswith(".") or name.endswith("."):
        raise NotAttachable("A name does not begin or end with a dot or a space.")
    ending = name.rpartition(".")[2].lower()
    if "." in name and ending in RUNS:
        raise NotAttachable(f"Files that run are not sent (.{ending}). Put it somewhere to download, and send a link.")
    return name


def checked_type(content_type: str) -> str:
    """`application/pdf`, without parameters. Raises `NotAttachable`."""
    plain = content_type.strip().lower()
    if len(plain) > LONGEST_TYPE or not _TYPE.fullmatch(plain):
        raise NotAttachable("Use a media type such as application/pdf.")
    if plain.startswith(("multipart/", "message/")):
        raise NotAttachable("A mail or a part of one is no attachment.")
    if plain in _TYPES_THAT_RUN:
        raise NotAttachable("Files that run are not sent. Put it somewhere to download, and send a link.")
    return plain


def checked_size(size: int) -> int:
    """Bytes of one file. Raises `NotAttachable`."""
    if size == 0:
        raise NotAttachable("The file is empty.", "too_short")
    if size > LARGEST_FILE:
        raise NotAttachable(f"A file has at most {LARGEST_FILE // 1024 // 1024} MiB.", "too_long")
    return size


def checked_content_id(content_id: str) -> str:
    """`logo`, for `<img src="cid:logo">`. Raises `NotAttachable`."""
    if not _CONTENT_ID.fullmatch(content_id):
        raise NotAttachable("Use 1 to 100 letters, digits, dots, hyphens, such as logo for cid:logo.")
    return content_id


def needs_image(content_id: str, content_type: str) -> None:
    """Only pictures are shown inside a mail. Raises `NotAttachable`."""
    if content_id and not content_type.startswith("image/"):
        raise NotAttachable("Only images have a content_id.")
