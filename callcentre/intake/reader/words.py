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
        "Dans un autre encodage que le reste, et lu dans le sien : {places}.",
        "In another encoding than the rest, and read in its own: {places}.",
    ),
    NoteCode.TEXT_REPAIRED: (
        "Accents abîmés par un double encodage, rétablis : {places}.",
        "Accents broken by a double encoding, restored: {places}.",
    ),
    NoteCode.TEXT_DAMAGED: (
        "Lettres perdues, à la place de « � » : {places}.",
        "Letters lost, where “�” stands: {places}.",
    ),
    NoteCode.CONTROLS_REMOVED: (
        "Caractères invisibles retirés : {places}.",
        "Invisible characters removed: {places}.",
    ),
    NoteCode.UNCLOSED_QUOTE: (
        "Guillemet jamais refermé, la ligne a été lue seule : {places}.",
        "Quotation mark never closed, the row was read by itself: {places}.",
    ),
    NoteCode.WRAPPED_LINES: (
        "Chaque ligne était enfermée entre guillemets ; ils ont été retirés.",
        "Every row was wrapped in quotation marks; they were removed.",
    ),
    NoteCode.MISPLACED_CELLS: (
        "Cellules décalées qui ne se remettent pas en ordre, à corriger : {places}.",
        "Shifted cells that cannot be put in order, to correct: {places}.",
    ),
    NoteCode.CELLS_JOINED: (
        "Séparateur de trop dans un texte, ses parties ont été réunies : {places}.",
        "A delimiter too many inside a text, its parts were joined: {places}.",
    ),
    NoteCode.MISSING_CELLS: (
        "Moins de cellules que le tableau : {places}.",
        "Fewer cells than the table: {places}.",
    ),
    NoteCode.CELLS_MOVED: (
        "Cellules décalées, remises sous leur colonne : {places}.",
        "Shifted cells, put back under their columns: {places}.",
    ),
    NoteCode.CUT_SHORT: (
        "Le fichier s’arrête au milieu d’une ligne, il est peut-être incomplet : {places}.",
        "The file ends in the middle of a row, it may be incomplete: {places}.",
    ),
    NoteCode.TOO_MANY_COLUMNS: (
        f"Cellules au-delà de {MAXIMUM_COLUMNS} colonnes, non lues : {{places}}.",
        f"Cells beyond {MAXIMUM_COLUMNS} columns, not read: {{places}}.",
    ),
    NoteCode.CELL_CUT: (
        "Cellules trop longues, coupées : {places}.",
        "Cells that were too long, cut: {places}.",
    ),
    NoteCode.BLANK_END: (
        "Lignes vides à la fin, non comptées : {n}.",
        "Blank rows at the end, not counted: {n}.",
    ),
    NoteCode.HIDDEN_ROW: (
        "Masqué dans le classeur, lu comme le reste : {places}.",
        "Hidden in the workbook, read like the rest: {places}.",
    ),
    NoteCode.HIDDEN_COLUMN: (
        "Colonne masquée dans le classeur, lue comme les autres : {places}.",
        "Column hidden in the workbook, read like the others: {places}.",
    ),
    NoteCode.FORMULA_WITHOUT_VALUE: (
        "Formule sans résultat enregistré, lue comme vide : {places}. Ouvrez le classeur dans Excel et enregistrez-le.",
        "Formula without a stored result, read as empty: {places}. Open the workbook in Excel and save it.",
    ),
    NoteCode.CELL_ERROR: (
        "Erreur de calcul (#N/A, #REF!…), lue comme vide : {places}.",
        "Calculation error (#N/A, #REF!…), read as empty: {places}.",
    ),
    NoteCode.MERGED_CELLS: (
        "Cellule fusionnée sur plusieurs lignes, sa valeur vaut pour chacune : {places}.",
        "Cell merged over several rows, its value counts for each: {places}.",
    ),
    NoteCode.HIDDEN_UNSEEN: (
        "Dans ce format, les lignes masquées et les formules sans résultat ne se voient pas : vérifiez le classeur.",
        "In this format hidden rows and formulas without a result cannot be seen: check the workbook.",
    ),
}


def note_words(note: Note, language: str = "fr") -> str:
    """A remark on a file as it is shown to a person."""
    french = language != "en"
    text = _NOTES[note.code][0 if french else 1]
    words = text.replace("{n}", str(note.count)).replace("{places}", _places(note, french=french))
    if not note.sheet:
        return words
    return f"« {note.sheet} » : {words}" if french else f"“{note.sheet}”: {words}"


def _places(note: Note, *, french: bool) -> str:
    """Such as “lignes 3, 5 et 12 autres”: rows are named as rows, cells and columns by their letters."""
    named = ", ".join(note.places)
    if all(place.isdecimal() for place in note.places):
        word = "ligne" if french else "row"
        named = f"{word}{'s' if len(note.places) > 1 else ''} {named}"
    others = note.count - len(note.places)
    if others <= 0:
        return named
    return f"{named} {'et' if french else 'and'} {others} {'autre' if french else 'other'}{'s' if others > 1 else ''}"
