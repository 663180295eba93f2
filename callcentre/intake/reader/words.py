"""The reader's sentences, in French and English: each refusal, each remark on how a file was read."""

from __future__ import annotations

from callcentre.intake.reader.content import (
    MAXIMUM_BYTES,
    MAXIMUM_COLUMNS,
    MAXIMUM_ROWS,
    Note,
    NoteCode,
    Refusal,
    RefusalCode,
)


def empty(name: str) -> Refusal:
    """Nothing in it."""
    return Refusal(RefusalCode.EMPTY, f"Le fichier « {name} » est vide.", f"The file “{name}” is empty.")


def too_large() -> Refusal:
    """More bytes than a list ever has."""
    limit = MAXIMUM_BYTES // 1024 // 1024
    return Refusal(
        RefusalCode.TOO_LARGE,
        f"Le fichier dépasse {limit} Mo : coupez-le en plusieurs listes.",
        f"The file is larger than {limit} MB: cut it into several lists.",
    )


def unpacks_too_large() -> Refusal:
    """An archive that swells, or a table that does not fit into memory."""
    return Refusal(
        RefusalCode.TOO_LARGE,
        "Le classeur, une fois décompressé, est démesuré : copiez la liste dans un classeur neuf.",
        "Once unpacked, the workbook is huge: copy the list into a new workbook.",
    )


def too_slow() -> Refusal:
    """A workbook that takes minutes to read."""
    return Refusal(
        RefusalCode.TOO_LARGE,
        "Le classeur est trop long à lire : copiez la liste dans un classeur neuf, ou enregistrez-la en CSV.",
        "The workbook takes too long to read: copy the list into a new workbook, or save it as CSV.",
    )


def too_many_rows() -> Refusal:
    """More rows than one import takes."""
    return Refusal(
        RefusalCode.TOO_MANY_ROWS,
        f"Plus de {MAXIMUM_ROWS} lignes : coupez la liste en plusieurs fichiers.",
        f"More than {MAXIMUM_ROWS} rows: cut the list into several files.",
    )


def not_a_list() -> Refusal:
    """A format that holds no table."""
    return Refusal(
        RefusalCode.NOT_A_LIST,
        "Ce fichier n’est ni un texte CSV ni un classeur (XLSX, XLS, ODS) : enregistrez la liste sous l’un de"
        " ces formats.",
        "This file is neither CSV text nor a workbook (XLSX, XLS, ODS): save the list as one of these.",
    )


def not_a_workbook() -> Refusal:
    """An archive of something else."""
    return Refusal(
        RefusalCode.NOT_A_LIST,
        "Cette archive n’est pas un classeur : joignez le classeur lui-même, sans le compresser.",
        "This archive is not a workbook: send the workbook itself, not packed.",
    )


def no_table() -> Refusal:
    """A web page without a table."""
    return Refusal(
        RefusalCode.NOT_A_LIST,
        "Cette page web ne contient aucun tableau : ouvrez-la dans Excel et enregistrez la liste en .xlsx.",
        "This web page holds no table: open it in Excel and save the list as .xlsx.",
    )


def encrypted() -> Refusal:
    """Protected by a password."""
    return Refusal(
        RefusalCode.ENCRYPTED,
        "Le classeur est protégé par un mot de passe : enregistrez-le sans protection.",
        "The workbook is protected by a password: save it without protection.",
    )


def damaged() -> Refusal:
    """A workbook that does not open."""
    return Refusal(
        RefusalCode.DAMAGED,
        "Le classeur est endommagé ou incomplet : ouvrez-le dans Excel et enregistrez-le à nouveau.",
        "The workbook is damaged or incomplete: open it in Excel and save it again.",
    )


def declares_entities() -> Refusal:
    """XML that defines its own entities: no spreadsheet program writes that."""
    return Refusal(
        RefusalCode.DAMAGED,
        "Ce fichier contient des définitions qu’aucun tableur n’écrit : il n’est pas ouvert. Copiez la liste dans"
        " un classeur neuf.",
        "This file holds definitions that no spreadsheet program writes: it is not opened. Copy the list into a"
        " new workbook.",
    )


def old_workbook() -> Refusal:
    """An Excel format older than 1997, or another OLE document."""
    return Refusal(
        RefusalCode.OLD_WORKBOOK,
        "Ce fichier .xls ne s’ouvre pas (trop ancien, ou ce n’est pas un classeur) : enregistrez-le en .xlsx ou en"
        " CSV.",
        "This .xls file does not open (too old, or not a workbook): save it as .xlsx or CSV.",
    )


def no_text() -> Refusal:
    """Bytes that are no text in any encoding tried."""
    return Refusal(
        RefusalCode.ENCODING,
        "Le texte du fichier ne se lit pas : enregistrez-le en « CSV UTF-8 ».",
        "The text of the file cannot be read: save it as “CSV UTF-8”.",
    )


def huge_line(number: int) -> Refusal:
    """A line or a cell that is longer than any person's row."""
    return Refusal(
        RefusalCode.DAMAGED,
        f"La ligne {number} du fichier est démesurée : vérifiez ses guillemets et son séparateur.",
        f"Row {number} of the file is huge: check its quotation marks and its delimiter.",
    )


_NOTES: dict[NoteCode, tuple[str, str]] = {
    NoteCode.MIXED_ENCODINGS: (
        "{n} lignes sont dans un autre encodage que le reste ; elles ont été lues dans le leur ({places}).",
        "{n} rows are in another encoding than the rest; they were read in their own ({places}).",
    ),
    NoteCode.TEXT_REPAIRED: (
        "Des accents abîmés par un double encodage ont été rétablis dans {n} lignes ({places}).",
        "Accents broken by a double encoding were restored in {n} rows ({places}).",
    ),
    NoteCode.TEXT_DAMAGED: (
        "Des lettres sont perdues dans {n} lignes, à la place de « � » ({places}).",
        "Letters are lost in {n} rows, where “�” stands ({places}).",
    ),
    NoteCode.CONTROLS_REMOVED: (
        "Des caractères invisibles ont été retirés de {n} lignes ({places}).",
        "Invisible characters were removed from {n} rows ({places}).",
    ),
    NoteCode.UNCLOSED_QUOTE: (
        "Un guillemet n’est jamais refermé dans {n} lignes ; chacune a été lue seule ({places}).",
        "A quotation mark is never closed in {n} rows; each was read by itself ({places}).",
    ),
    NoteCode.WRAPPED_LINES: (
        "Chaque ligne était enfermée entre guillemets ; ils ont été retirés.",
        "Every row was wrapped in quotation marks; they were removed.",
    ),
    NoteCode.MISPLACED_CELLS: (
        "{n} lignes sont décalées et ne se remettent pas en ordre : mises en quarantaine ({places}).",
        "{n} rows are shifted and cannot be put in order: quarantined ({places}).",
    ),
    NoteCode.CELLS_JOINED: (
        "{n} lignes avaient un séparateur de trop dans un texte ; ses deux parties ont été réunies ({places}).",
        "{n} rows had a delimiter too many inside a text; its two parts were joined ({places}).",
    ),
    NoteCode.MISSING_CELLS: (
        "{n} lignes ont moins de cellules que le tableau ({places}).",
        "{n} rows have fewer cells than the table ({places}).",
    ),
    NoteCode.CELLS_MOVED: (
        "{n} lignes étaient décalées ; leurs cellules ont été remises sous leur colonne ({places}).",
        "{n} rows were shifted; their cells were put back under their columns ({places}).",
    ),
    NoteCode.CUT_SHORT: (
        "Le fichier s’arrête au milieu d’une ligne ({places}) : il est peut-être incomplet.",
        "The file ends in the middle of a row ({places}): it may be incomplete.",
    ),
    NoteCode.TOO_MANY_COLUMNS: (
        f"Au-delà de {MAXIMUM_COLUMNS} colonnes, les cellules de {{n}} lignes ne sont pas lues ({{places}}).",
        f"Beyond {MAXIMUM_COLUMNS} columns, the cells of {{n}} rows are not read ({{places}}).",
    ),
    NoteCode.CELL_CUT: (
        "Des cellules trop longues ont été coupées dans {n} lignes ({places}).",
        "Cells that were too long were cut in {n} rows ({places}).",
    ),
    NoteCode.BLANK_END: (
        "{n} lignes vides à la fin ne sont pas comptées.",
        "{n} blank rows at the end are not counted.",
    ),
    NoteCode.HIDDEN_ROW: (
        "{n} lignes sont masquées dans le classeur ; elles sont lues comme les autres ({places}).",
        "{n} rows are hidden in the workbook; they are read like the others ({places}).",
    ),
    NoteCode.HIDDEN_COLUMN: (
        "{n} colonnes sont masquées dans le classeur ; elles sont lues comme les autres ({places}).",
        "{n} columns are hidden in the workbook; they are read like the others ({places}).",
    ),
    NoteCode.FORMULA_WITHOUT_VALUE: (
        "{n} formules sans résultat enregistré, lues comme vides ({places}) : enregistrez le classeur dans Excel.",
        "{n} formulas without a stored result, read as empty ({places}): save the workbook in Excel.",
    ),
    NoteCode.CELL_ERROR: (
        "{n} cellules portent une erreur de calcul (#N/A, #REF!…), elles sont lues comme vides ({places}).",
        "{n} cells hold a calculation error (#N/A, #REF!…), they are read as empty ({places}).",
    ),
    NoteCode.MERGED_CELLS: (
        "{n} cellules fusionnées sur plusieurs lignes : leur valeur vaut pour chacune ({places}).",
        "{n} cells are merged over several rows: their value counts for each ({places}).",
    ),
    NoteCode.HIDDEN_UNSEEN: (
        "Dans ce format, les lignes masquées et les formules sans résultat ne se voient pas : vérifiez le classeur.",
        "In this format hidden rows and formulas without a result cannot be seen: check the workbook.",
    ),
}


def note_words(note: Note, language: str = "fr") -> str:
    """A remark on a file as it is shown to a person."""
    text = _NOTES[note.code][1 if language == "en" else 0]
    places = ", ".join(note.places) + ("…" if note.count > len(note.places) else "")
    words = text.replace("{n}", str(note.count)).replace("{places}", places)
    if not note.sheet:
        return words
    return f"“{note.sheet}”: {words}" if language == "en" else f"« {note.sheet} » : {words}"
