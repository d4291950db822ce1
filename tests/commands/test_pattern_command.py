"""`advmask pattern` as a user runs it."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from advmask import cli
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import SHIPPED, MaskSettings


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


def test_all_that_ship(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["pattern"]) == 0
    out = capsys.readouterr().out
    assert written() == [f"patterns/{name}-M.svg" for name in sorted(SHIPPED)]
    rows = [line.split() for line in out.splitlines()[1:6]]
    assert [row[0] for row in rows] == list(SHIPPED)
    assert float(rows[0][-2]) >= 95
    assert "pleats of a pleated mask are folds" in out
    assert max(map(len, out.splitlines())) <= 130
    for path in written():
        assert ElementTree.parse(path).getroot().get("width", "").endswith("mm")


def test_one_in_another_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["pattern", "mask=panelled", "mask.size=L", "out=my sewing, (1)", "obj=true"]) == 0
    assert written() == ["my sewing, (1)/panelled-L.svg", "my sewing, (1)/panelled-M.obj"]
    assert "panelled         L" in capsys.readouterr().out
    again = build_mask(MaskSettings(pattern="my sewing, (1)/panelled-L.svg", size="L"))
    assert again.size_mm == pytest.approx(
        build_mask(MaskSettings(pattern="panelled", size="L")).size_mm, abs=0.01
    )
    worn = build_mask(MaskSettings(pattern="my sewing, (1)/panelled-M.obj"))
    assert len(worn.pattern.panels) == 2


def test_ones_own_drawing_and_what_is_never_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["pattern", "mask=contour"]) == 0
    path = Path("patterns/contour-M.svg")
    edited = path.read_text().replace("finished edge", "my edge")
    path.write_text(edited)
    capsys.readouterr()
    assert cli.main(["pattern"]) == 7
    captured = capsys.readouterr()
    assert captured.err.startswith("patterns/contour-M.svg exists and was changed")
    assert "overwrite=true" in captured.err
    assert "207 x 128" in captured.out, "the figures are shown whatever is written"
    assert path.read_text() == edited
    assert written() == [f"patterns/{name}-M.svg" for name in sorted(SHIPPED)]
    # The short form of mask.pattern=, and a file of one's own.
    assert cli.main(["pattern", f"mask={path}", "out=other"]) == 0
    assert written()[0] == "other/contour-M.svg"
    assert cli.main(["pattern", "overwrite=true"]) == 0
    assert "my edge" not in path.read_text()
    assert cli.main(["pattern"]) == 0, "the same drawings again"


def test_a_drawing_that_it_wrote_itself_is_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    own = Path("own.svg")
    outline = '<path class="finished" d="M-60,25 L60,25 L50,{low} L-50,{low} Z"/>'
    shape = f'<svg xmlns="http://www.w3.org/2000/svg">{outline}</svg>'
    own.write_text(shape.format(low=100))
    assert cli.main(["pattern", "mask=own.svg"]) == 0
    first = Path("patterns/own-M.svg").read_text()
    own.write_text(shape.format(low=90))
    assert cli.main(["pattern", "mask=own.svg"]) == 0
    assert Path("patterns/own-M.svg").read_text() != first


def test_cloth_that_could_not_stretch_so_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["pattern", "mask=contour", "obj=true"]) == 0
    lines = Path("patterns/contour-M.obj").read_text().splitlines()
    small = [
        f"vt {float(line.split()[1]) / 2} {float(line.split()[2]) / 2}" if line.startswith("vt ") else line
        for line in lines
    ]
    Path("small.obj").write_text("\n".join(small))
    assert cli.main(["pattern", "mask=small.obj"]) == 0
    assert "no cloth stretches like that" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["mask=lower_face"], 2, "contour, flatfold, gaiter, panelled, pleated"),
        (["mask.pattern=lower_face"], 2, "Unknown pattern 'lower_face'"),
        (["mask=gone.svg"], 2, "There is no file gone.svg"),
        (["mask.size=XXL"], 2, "mask.size"),
        (["bleed_mm=99"], 2, "bleed_mm"),
    ],
)
def test_what_the_user_can_mend(
    words: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["pattern", *words]) == code
    assert says in capsys.readouterr().err
    assert written() == []


def test_pleats_have_no_place_in_a_mesh(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["pattern", "mask=pleated", "obj=true"]) == 0
    assert "not written as OBJ" in capsys.readouterr().out
    assert written() == ["patterns/pleated-M.svg"]
