"""What is inside a zipped workbook, looked at before it is opened: which kind it is, how much it would swell."""

from __future__ import annotations

import re
import zipfile
import zlib
from io import BytesIO

from callcentre.intake.reader import words
from callcentre.intake.reader.content import MAXIMUM_UNPACKED_BYTES, Refused

_MOST_PARTS = 5_000
_SHARED_TEXTS = "xl/sharedStrings.xml"
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_BLOCK = 1024 * 1024


def workbook_format(content: bytes) -> str:
    """`xlsx`, `xlsb` or `ods`; raises Refused for other archives, bombs, and what is protected or broken."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
            found = _format(archive, {part.filename for part in parts})
            if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > MAXIMUM_UNPACKED_BYTES:
                raise Refused(words.unpacks_too_large())
            if any(part.flag_bits & 1 for part in parts):
                raise Refused(words.encrypted())
            if found != "xlsb":
                _refuse_entities(archive, parts)
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, OSError, EOFError) as error:
        raise Refused(words.damaged()) from error
    return found


def _format(archive: zipfile.ZipFile, names: set[str]) -> str:
    folded = {name.lower().replace("\\", "/") for name in names}
    if "xl/workbook.xml" in folded:
        return "xlsx"
    if "xl/workbook.bin" in folded:
        return "xlsb"
    if (
        "content.xml" in folded
        and "mimetype" in names
        and archive.read("mimetype")[:200].strip().startswith(_ODS)
    ):
        manifest = archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in names else b""
        if b"encryption-data" in manifest:
            raise Refused(words.encrypted())
        return "ods"
    raise Refused(words.not_a_workbook())


def _refuse_entities(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    """Refuse XML with a document type: no spreadsheet program writes one, bombs and thefts of files need it.

    Unpacking is counted too: an archive may lie about its sizes.
    """
    unpacked = 0
    for part in parts:
        if not part.filename.lower().endswith((".xml", ".rels", ".vml")):
            continue
        with archive.open(part) as stream:
            tail = b""
            while block := stream.read(_BLOCK):
                unpacked += len(block)
                if unpacked > MAXIMUM_UNPACKED_BYTES:
                    raise Refused(words.unpacks_too_large())
                if _declares(tail + block):
                    raise Refused(words.declares_entities())
                tail = block[-32:]


def _declares(text: bytes) -> bool:
    """Whether XML, of narrow or wide characters, declares a document type or an entity."""
    if b"\x00" in text:
        text = text.replace(b"\x00", b"")
    return b"<!" in text and re.search(rb"<!(?:DOCTYPE|ENTITY)", text, re.IGNORECASE) is not None
