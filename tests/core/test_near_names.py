"""A name that is nearly right is told."""

from pathlib import Path

import pytest

from advmask import cli
from advmask.core.errors import ConfigError, DesignError, PhotoError
from advmask.core.picture_reading import read_picture
from advmask.photos.loading import check_photos_are_there
from advmask.photos.settings import FacesSettings
from advmask.textures.settings import TextureSettings
from advmask.wearing.opened_design import load_design


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("me.jpg", "Drawing.png", ".met.jpg"):
        Path(name).write_bytes(b"8BPS\0\1")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["preview", "drawng.png"], 6, "at drawng.png; check its name. Did you mean Drawing.png?"),
        (["preview", "design=poppy-x"], 6, "at poppy-x; check its name.\n"),
        (["preview", "Drawing.png"], 6, "TIFF or GIF picture, or an SVG drawing; convert"),
        (["apply", "white", "met.jpg", "out.jpg"], 3, "at met.jpg; check its name. Did you mean me.jpg?"),
        (["apply", "white", "my", "me.jpg", "out.jpg"], 2, "A name with a space is written in quotes"),
        (["train", "texture.palette.inks=[crimsn,white]", "texture=palette"], 2, "Did you mean crimson?"),
        (["train", "texture.start=crimsn"], 6, "a picture file that exists. Did you mean crimson?"),
        (["train", "texture.start=drawing.pngg"], 6, "a picture file that exists. Did you mean Drawing.png?"),
        (["train", "faces.root=met.jpg"], 3, "at met.jpg; give a photo (JPEG, PNG, WebP"),
        (["train", "mask=pleatd"], 2, "Did you mean mask=pleated?"),
    ],
)
def test_what_was_meant_is_said(
    words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == code
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_word_that_only_shares_letters_is_not_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "mask=cotton"]) == 2
    assert "mean" not in capsys.readouterr().err


def test_missing_photos_are_told_before_inks_and_leave_no_folder(caplog: pytest.LogCaptureFixture) -> None:
    words = ["experiment=artist", "texture.start=gallery:poppies", "faces.root=met.jpg", "hydra.run.dir=out"]
    with caplog.at_level("INFO", logger="advmask"):
        assert cli.main(["train", *words]) == 3
    assert "Inks" not in caplog.text
    assert not Path("out").exists()


def test_the_library_says_the_same() -> None:
    with pytest.raises(PhotoError, match=r"Did you mean me\.jpg\?"):
        check_photos_are_there(FacesSettings.build({"root": "met.jpg"}))
    with pytest.raises(PhotoError, match=r"Did you mean me\.jpg\?"):
        read_picture(Path("met.jpg"))
    with pytest.raises(DesignError, match=r"Did you mean Drawing\.png\?"):
        load_design("drawings.png")
    with pytest.raises(ConfigError, match=r"Did you mean crimson\?"):
        TextureSettings.build({"kind": "palette", "palette": {"inks": ["crimsn", "white"]}})
