"""The capture protocol: two pages to print, with what to photograph, folders, consent and numbers."""

from collections.abc import Sequence
from datetime import UTC, datetime

from fpdf import FPDF

from advmask.evaluation.estimates import room_for_unseen
from advmask.evaluation.real_prints.drawings import draw_box, draw_situation
from advmask.evaluation.real_prints.situations import PICTURES, VIDEOS, Situation
from advmask.printing.chart.pages import PAGES_MM
from advmask.printing.latin import latin
from advmask.printing.page_marks import fitted
from advmask.printing.settings import Paper

_FIXED_DATE = datetime(2000, 1, 1, tzinfo=UTC)  # the time of writing would make two equal pages differ
_MARGIN = 14.0
_GREY = (110, 110, 110)
_CELL, _PICTURE, _GAP = 29.6, 26.0, 4.0
_STEP = 4.3
_NUMBERS = (1, 3, 5, 10, 20, 40)
_TREE = (
    "photos/",
    "  a01/            one folder per person, called by the code",
    "    bare/         01.jpg 02.jpg ... 10.jpg   closer.mp4   around.mp4",
    "    plain/        01.jpg 02.jpg ... 10.jpg   closer.mp4   around.mp4",
    "    design/       01.jpg 02.jpg ... 10.jpg   closer.mp4   around.mp4",
    "  b02/            ...",
)

_HOW = (
    "Per situation three pictures: BARE, with a PLAIN mask, with the printed DESIGN. Take them one after "
    "the other, before the place, the light or the distance changes, and change their order as you go.",
    "The plain mask has the same cut and cloth as the printed one, unprinted. Without it nobody can tell "
    "what the print does from what any mask does.",
    "The same camera for all three: no flash, no portrait mode, no filter, no beautifying, no zoom. One "
    "person in the picture, sharp, the whole head, eyes open.",
    "Glasses and hair as usual, and the same in all three. The mask sits over the nose, as it is worn.",
    "Keep every picture that is technically good, however it may turn out: choosing measures the chooser.",
)
_CONSENT = (
    "I am being photographed and filmed bare and masked, for a test whether face recognition still matches "
    "me. The pictures are looked at by programs on one computer and are sent nowhere. They are kept under a "
    "code until the date below and then deleted, with everything that shows my face. Results may be "
    "published as numbers; a picture of me only if I tick the box. Taking part is of my own free will. I can "
    "stop at any time and have my pictures deleted, without a reason."
)
_PRIVACY = (
    "Faces are biometric data, with laws of their own in many places. Ask first, in writing; no children "
    "without their parents.",
    "Switch off the cloud and shared albums on the camera phone. Copy by cable; delete on the phone.",
    "Keep this sheet, which has the name, away from the pictures, which have the code. judge.png and the "
    "pictures show faces: share neither.",
    "Nobody else in the picture. No screens, letters or badges in the background.",
)
_READ = (
    "A person not matched here may be matched by another recognizer, camera or light, and by people. The "
    "test says something about these pictures and the recognizers named, and promises nothing."
)


def protocol_pdf(paper: Paper = "a4", *, design: str = "") -> bytes:
    """The capture protocol as a PDF of two pages; the same arguments give the same bytes.

    Args:
        paper: Size of the pages.
        design: What is tested, in words; empty leaves a line to write it on.
    """
    pdf = FPDF(orientation="portrait", unit="mm", format=PAGES_MM[paper])
    pdf.set_creation_date(_FIXED_DATE)
    pdf.set_creator("advmask")
    pdf.set_title("advmask: capture protocol")
    pdf.set_auto_page_break(False)
    pdf.set_margin(_MARGIN)
    pdf.c_margin = 0.0  # or cells would stand a millimetre to the right of what is drawn
    pdf.add_page()
    _first_page(pdf, design)
    pdf.add_page()
    _second_page(pdf)
    return bytes(pdf.output())


def _first_page(pdf: FPDF, design: str) -> None:
    _title(pdf, "Which pictures to take", "one sheet per person")
    _fields(pdf, (("Person (code)", 40.0), ("Date", 32.0), ("Camera", 46.0), ("Mask size", 0.0)))
    if design:
        pdf.set_font("helvetica", size=8.5)
        words = fitted(pdf, latin(f"Design: {design}"), pdf.epw, size=8.5)
        pdf.text(_MARGIN, pdf.get_y() + 3.2, words)
        pdf.set_y(pdf.get_y() + 5.5)
    else:
        _fields(pdf, (("Design", 90.0), ("Printer and cloth", 0.0)))
    _list(pdf, _HOW, size=8.4, step=3.7)
    top = pdf.get_y() + 0.5
    width = (pdf.epw - _GAP) / 2
    situations = (*PICTURES, *VIDEOS)
    for number, situation in enumerate(situations):
        left = _MARGIN + (number % 2) * (width + _GAP)
        label = f"{number + 1:02}" if number < len(PICTURES) else ""
        _cell(pdf, situation, label, left=left, top=top + (number // 2) * _CELL, width=width)
    pdf.set_y(top + (len(situations) + 1) // 2 * _CELL)
    _small(
        pdf,
        "If that is too much: 01, 02, 06, 07, 09 and the first film. Of a single person take all: below ten "
        "files with the design there is no verdict.",
    )


def _second_page(pdf: FPDF) -> None:
    _title(pdf, "Folders, numbers, consent", "advmask judge")
    _heading(pdf, "Into these folders")
    pdf.set_font("courier", size=8.6)
    for line in _TREE:
        pdf.cell(0, 3.9, line, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1)
    _paragraph(pdf, "The bare pictures enrol the person. Bare photos of another day and camera are nearer to "
               "the field; keep those in a folder of their own and add enrolment=FOLDER. Files may have any "
               "name. JPEG or PNG; set iPhones to 'most compatible'. Then:")  # fmt: skip
    pdf.set_font("courier", size=8.6)
    pdf.cell(0, 4.6, "advmask judge photos=photos design=RUN-OR-FILE", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(2)
    _heading(pdf, "How many people")
    _paragraph(
        pdf,
        "People count, not pictures: twenty pictures of one person say nothing about the next one. If not "
        "one of the people is matched, up to this share of all people may still be (95 %):",
    )
    _numbers(pdf)
    _paragraph(pdf, "Ask people who differ: age, skin, beard, glasses, size of the head. Decide how many "
               "before you look at a result, and report all of them.")  # fmt: skip
    _heading(pdf, "Privacy")
    _list(pdf, _PRIVACY, size=9.2, step=_STEP)
    pdf.ln(1)
    _heading(pdf, "What it will not show")
    _paragraph(pdf, _READ)
    _consent(pdf)


def _consent(pdf: FPDF) -> None:
    top = pdf.get_y() + 1.0
    pdf.set_y(top + 3.0)
    _heading(pdf, "Consent", indent=4.0)
    pdf.set_x(_MARGIN + 4.0)
    pdf.set_font("helvetica", size=9.2)
    pdf.multi_cell(pdf.epw - 8.0, _STEP, latin(_CONSENT), new_x="LMARGIN", new_y="NEXT", align="L")
    pdf.ln(2)
    y = pdf.get_y()
    draw_box(pdf, left=_MARGIN + 4.0, top=y)
    pdf.set_font("helvetica", size=9.2)
    pdf.text(_MARGIN + 9.0, y + 2.8, "A picture of me may be shown, as agreed:")
    _underline(pdf, _MARGIN + 76.0, y + 3.4, _MARGIN + pdf.epw - 4.0)
    pdf.set_y(y + 9.0)
    rows = (
        (("Deleted by", 52.0), ("Ask for deletion at", 0.0)),
        (("Name", 72.0), ("Date, signature", 0.0)),
    )
    for row in rows:
        _fields(pdf, row, indent=4.0, height=9.0)
    pdf.set_draw_color(*_GREY)
    pdf.set_line_width(0.3)
    pdf.rect(_MARGIN, top, pdf.epw, pdf.get_y() - top)


def _cell(pdf: FPDF, situation: Situation, label: str, *, left: float, top: float, width: float) -> None:
    draw_situation(pdf, situation, left=left, top=top, side=_PICTURE)
    x = left + _PICTURE + 3.0
    pdf.set_text_color(0, 0, 0)
    pdf.set_font("helvetica", style="B", size=9.5)
    pdf.text(x, top + 4.0, f"{label}  {situation.title}" if label else situation.title)
    pdf.set_font("helvetica", size=8.6)
    pdf.set_xy(x, top + 5.6)
    pdf.multi_cell(width - _PICTURE - 3.0, 3.8, latin(situation.words), align="L", padding=0)
    for place, worn in enumerate(("bare", "plain", "design")):
        box = x + 0.2 + place * 18.0
        draw_box(pdf, left=box, top=top + _PICTURE - 4.4)
        pdf.text(box + 4.4, top + _PICTURE - 1.7, worn)


def _numbers(pdf: FPDF) -> None:
    first, width, height = 46.0, 20.0, 6.0
    rooms = [room_for_unseen(number) for number in _NUMBERS]
    rows = (
        ("people", [str(number) for number in _NUMBERS]),
        ("0 matched leaves room for", [f"{100 * room:.0f} %" for room in rooms]),
    )
    pdf.set_draw_color(*_GREY)
    pdf.set_line_width(0.2)
    pdf.c_margin = 1.0
    for title, values in rows:
        pdf.set_font("helvetica", size=9.2)
        pdf.cell(first, height, title, border=1)
        for place, value in enumerate(values):
            last = place == len(values) - 1
            pdf.cell(
                width, height, value, border=1, align="C",
                new_x="LMARGIN" if last else "RIGHT", new_y="NEXT" if last else "TOP",
            )  # fmt: skip
    pdf.c_margin = 0.0
    pdf.ln(2)


def _title(pdf: FPDF, words: str, beside: str) -> None:
    pdf.set_text_color(0, 0, 0)
    pdf.set_font("helvetica", style="B", size=15)
    pdf.cell(pdf.epw - 40.0, 7.5, words)
    pdf.set_font("helvetica", size=9)
    pdf.set_text_color(*_GREY)
    pdf.cell(40.0, 7.5, beside, align="R", new_x="LMARGIN", new_y="NEXT")
    pdf.set_text_color(0, 0, 0)
    pdf.ln(1.5)


def _heading(pdf: FPDF, words: str, *, indent: float = 0.0) -> None:
    pdf.set_x(_MARGIN + indent)
    pdf.set_font("helvetica", style="B", size=11)
    pdf.cell(0, 6.0, words, new_x="LMARGIN", new_y="NEXT")


def _paragraph(pdf: FPDF, words: str) -> None:
    pdf.set_font("helvetica", size=9.2)
    pdf.multi_cell(0, _STEP, latin(words), new_x="LMARGIN", new_y="NEXT", align="L")
    pdf.ln(1.5)


def _small(pdf: FPDF, words: str) -> None:
    pdf.set_font("helvetica", size=8.2)
    pdf.set_text_color(*_GREY)
    pdf.multi_cell(0, 3.6, latin(words), new_x="LMARGIN", new_y="NEXT", align="L")
    pdf.set_text_color(0, 0, 0)


def _list(pdf: FPDF, sentences: Sequence[str], *, size: float, step: float) -> None:
    pdf.set_font("helvetica", size=size)
    for number, sentence in enumerate(sentences, 1):
        y = pdf.get_y()
        pdf.text(_MARGIN, y + 0.75 * step, f"{number}.")
        pdf.set_x(_MARGIN + 5.0)
        pdf.multi_cell(pdf.epw - 5.0, step, latin(sentence), new_x="LMARGIN", new_y="NEXT", align="L")
        pdf.ln(0.5)
    pdf.ln(1.0)


def _fields(
    pdf: FPDF, fields: Sequence[tuple[str, float]], *, indent: float = 0.0, height: float = 7.5
) -> None:
    """Words with a line to write on, side by side; a width of zero takes what is left."""
    x, y = _MARGIN + indent, pdf.get_y()
    right = _MARGIN + pdf.epw - indent
    pdf.set_font("helvetica", size=9)
    for words, width in fields:
        end = x + width - 3.0 if width else right
        pdf.text(x, y + 4.0, words)
        _underline(pdf, x + pdf.get_string_width(words) + 1.5, y + 4.6, end)
        x = end + 3.0
    pdf.set_y(y + height)


def _underline(pdf: FPDF, x: float, y: float, end: float) -> None:
    pdf.set_draw_color(*_GREY)
    pdf.set_line_width(0.2)
    pdf.set_dash_pattern()
    pdf.line(x, y, end, y)
