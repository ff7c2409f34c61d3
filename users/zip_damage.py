"""What reading a ZIP may end with that is damaged, or was made to be. The standard library raises all of these."""

import lzma
import zlib
from zipfile import BadZipFile

ZIP_DAMAGE = (BadZipFile, EOFError, OSError, RuntimeError, ValueError, lzma.LZMAError, zlib.error)
