"""From pictures to rates with a tiny network, against the usual way of cutting and comparing faces."""

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_chain import write_network

from advmask.core.errors import CalibrationError, PhotoError
from advmask.evaluation.real_prints.embedded_pictures import thumbnail
from advmask.evaluation.real_prints.face_search import Looker
from advmask.evaluation.real_prints.judged_sheet import judge_sheet
from advmask.evaluation.real_prints.judgement_table import in_a_sentence, judge_table
from advmask.evaluation.real_prints.judging import PhysicalVerdict, judge_folder
from advmask.evaluation.real_prints.records import judge_csv, judge_record
from advmask.evaluation.results import json_text
from advmask.evaluation.settings import JudgeProtocol
from advmask.photos.detection import FaceDetector
from advmask.photos.loading import load_faces, portrait_path
from advmask.photos.settings import FacesSettings
from advmask.recognizers.preparation import embed_crops
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.recognizers.similarity import mean_template

QUIET = JudgeProtocol(progress=False)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    (one,) = build_recognizers([write_network(tmp_path_factory.mktemp("network") / "tiny.onnx")])
    return one


def judged(folder: Path, *recognizers: Recognizer, **more: Any) -> PhysicalVerdict:
    faces = FacesSettings(size=112, cache=False, **more.pop("faces", {}))
    return judge_folder(folder, recognizers, faces=faces, protocol=more.pop("protocol", QUIET), **more)


@pytest.fixture(scope="module")
def verdict(people_folder: Path, tiny: Recognizer) -> PhysicalVerdict:
    return judged(people_folder, tiny)


def usual_embeddings(folder: Path, tiny: Recognizer) -> dict[str, torch.Tensor]:
    """By name of the file: the face cut as `evaluate` cuts it."""
    crops = load_faces(FacesSettings(root=folder, size=112, cache=False)).crops
    (embeddings,) = embed_crops([tiny], crops)
    return {crop.source.name: row for crop, row in zip(crops, embeddings, strict=True)}


def test_pictures_are_compared_as_anywhere_else(
    verdict: PhysicalVerdict, people_folder: Path, tiny: Recognizer
) -> None:
    bare = usual_embeddings(people_folder / "ada" / "bare", tiny)
    red = usual_embeddings(people_folder / "ada" / "design", tiny)
    template = mean_template(torch.stack(list(bare.values())), distance="cosine")
    others = mean_template(torch.stack([bare["0.png"], bare["2.png"]]), distance="cosine")
    found = dict(
        zip(
            (one.capture.name for one in verdict.seen.pictures),
            verdict.verdicts[0].scored.similarity,
            strict=True,
        )
    )
    cosine = torch.nn.functional.cosine_similarity
    assert found["ada/design/1.png"] == pytest.approx(cosine(red["1.png"], template, dim=0).item(), abs=1e-5)
    assert found["ada/bare/1.png"] == pytest.approx(cosine(bare["1.png"], others, dim=0).item(), abs=1e-5), (
        "the photo itself is not in its template"
    )


def test_what_comes_out(verdict: PhysicalVerdict) -> None:
    assert verdict.people == ("ada", "ben")
    record = judge_record(verdict, {"design": None})
    assert record["interval_over"] == "people"
    (result,) = record["results"]
    assert set(result["conditions"]) == {"bare", "plain", "design"}
    assert result["threshold_source"] == verdict.verdicts[0].scored.threshold.source
    assert set(result["by_person"]) == {"ada", "ben"}
    assert "NaN" not in json_text(record)
    lines = judge_csv(verdict).splitlines()
    assert len(lines) == 1 + 18
    assert lines[0].startswith("recognizer,person,condition,file,time_s,faces,eyes_px")
    table = judge_table(verdict)
    assert "tiny, detected and aligned by MTCNN on each picture; threshold 0.500 at FMR 0.01" in table
    assert "design below plain" in table
    assert "6 files of the design are too few for a verdict" in in_a_sentence(verdict.verdicts[0])


def test_the_sheet_shows_what_was_recognized(verdict: PhysicalVerdict) -> None:
    sheet = np.asarray(judge_sheet(verdict).convert("RGB")).astype(int)
    wanted = verdict.seen.of("ada", "design")
    crops = [thumbnail(verdict.seen.pictures[place]) for place in wanted]
    tiles = {tuple(crop.shape[1:]) for crop in crops if crop is not None}
    assert tiles == {(112, 112)}
    confidence = verdict.verdicts[0].scored.confidence
    best = max((one for one in wanted if np.isfinite(confidence[one])), key=lambda one: confidence[one])
    crop = thumbnail(verdict.seen.pictures[best])
    assert crop is not None
    pixels = (crop.permute(1, 2, 0) * 255).round().int().numpy()
    right = sheet.shape[1] - 4 - 112
    assert np.abs(sheet[22:134, right : right + 112] - pixels).max() <= 1


def test_files_that_are_not_whole(people_folder: Path, tiny: Recognizer, tmp_path: Path) -> None:
    root = tmp_path / "cleo"
    for condition in ("bare", "plain", "design"):
        (root / condition).mkdir(parents=True)
    for name in ("bare/1.png", "plain/1.png", "design/1.png"):
        (root / name).write_bytes((people_folder / "ada" / name).read_bytes())
    Image.new("RGB", (200, 200), (90, 120, 90)).save(root / "design/green.png")
    (root / "design/broken.jpg").write_bytes(b"no picture")
    wide = Image.new("RGB", (700, 300), (90, 90, 90))
    with Image.open(root / "plain/1.png") as picture:
        wide.paste(picture, (0, 0))
        wide.paste(picture.resize((250, 220)), (400, 20))
    wide.save(root / "plain/two.png")
    verdict = judged(root, tiny)
    design, plain = (verdict.verdicts[0].rates.conditions[name] for name in ("design", "plain"))
    assert design is not None
    assert plain is not None
    assert (design.files, design.pictures, design.no_face) == (2, 2, 1)
    assert plain.several_faces == 1
    said = "\n".join(verdict.notices)
    assert "broken.jpg is not" in said
    assert "Several faces in" in said
    assert verdict.verdicts[0].rates.conditions["bare"] is None, "there is no other bare file"
    assert judge_record(verdict, {})["interval_over"] == "files"
    assert judge_table(verdict)
    assert judge_sheet(verdict).width > 4 * 112


def test_no_face_in_any_bare_photo(people_folder: Path, tiny: Recognizer, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "design").mkdir()
    Image.new("RGB", (200, 200), (90, 120, 90)).save(tmp_path / "bare/1.png")
    (tmp_path / "design/1.png").write_bytes((people_folder / "ada/design/1.png").read_bytes())
    with pytest.raises(PhotoError, match=r"Nobody can be enrolled\. No face was found in any bare photo"):
        judged(tmp_path, tiny)


def test_nothing_but_pictures_without_faces(people_folder: Path, tiny: Recognizer, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "design").mkdir()
    (tmp_path / "bare/1.png").write_bytes((people_folder / "ada/bare/1.png").read_bytes())
    Image.new("RGB", (200, 200), (90, 120, 90)).save(tmp_path / "design/1.png")
    verdict = judged(tmp_path, tiny)
    assert "no face was found in any of the 1 pictures of the design" in in_a_sentence(verdict.verdicts[0])
    design = verdict.verdicts[0].rates.conditions["design"]
    assert design is not None
    assert math.isnan(design.matched.value)
    assert "null" in json_text(judge_record(verdict, {}))
    assert judge_table(verdict)
    assert judge_sheet(verdict)


def test_a_network_without_threshold_is_refused_before_the_work(people_folder: Path, tmp_path: Path) -> None:
    (one,) = build_recognizers([write_network(tmp_path / "tiny.onnx", calibration="")])
    with pytest.raises(CalibrationError, match=r"6 bare files of 2 people allow 6 comparisons.*faces.root="):
        judged(people_folder, one)


def test_other_people_make_the_threshold(people_folder: Path, tiny: Recognizer, tmp_path: Path) -> None:
    others = tmp_path / "others"
    for person in ("ada", "eve", "fay"):
        (others / person).mkdir(parents=True)
    (others / "ada/1.png").write_bytes(portrait_path().read_bytes())
    (others / "eve/1.png").write_bytes((people_folder / "ben/bare/0.png").read_bytes())
    portrait = Image.open(portrait_path()).convert("RGB")
    for number in range(2):
        portrait.rotate(5 * (number + 1)).save(others / f"fay/{number}.png")
    protocol = JudgeProtocol(progress=False, fmr=0.9)
    verdict = judged(people_folder, tiny, faces={"root": others}, protocol=protocol)
    assert verdict.others == 1, "ada and a copy of ben's photo are not strangers"
    assert sum("is judged, and so no stranger" in one for one in verdict.notices) == 2
    threshold = verdict.verdicts[0].scored.threshold
    assert (threshold.fmr, threshold.source) == (0.9, "8 bare photos of 3 people at hand")
    assert any("ada and fay of faces.root look like one person" in one for one in verdict.notices)


class _Frames:
    """A detector that is not asked to detect."""

    def detect(self, image: Image.Image) -> list[Any]:
        return []


def video(path: Path, *, frames: int, rate: int, size: int = 64) -> Path:
    av: Any = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(rate), options={"bf": "0"})
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            picture = np.full((size, size, 3), 8 * (number % 30), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("every_s", "expected"),
    [(0.5, [0.0, 0.5, 1.0, 1.5, 2.0]), (0.0, [i / 10 for i in range(21)]), (0.25, [0, 0.3, 0.5, 0.8, 1.0])],
)
def test_frames_that_are_looked_at(tmp_path: Path, every_s: float, expected: list[float]) -> None:
    path = video(tmp_path / "a.mp4", frames=21, rate=10)
    detector: Any = _Frames()
    looker = Looker(detector, size=112, every_s=every_s)
    times = [look.time_s for look in looker.video(path)]
    assert times[: len(expected)] == pytest.approx(expected, abs=1e-3)
    if every_s != 0.25:
        assert len(times) == len(expected)


def test_a_video_that_ends_early(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mkv", frames=60, rate=10)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    detector: Any = _Frames()
    looker = Looker(detector, size=112, every_s=0.5)
    assert 1 <= len(list(looker.video(path))) < 12
    assert "a.mkv ends early" in looker.notices[0]


def test_a_video_that_cannot_be_opened_is_left_out(people_folder: Path, tiny: Recognizer, tmp_path: Path):
    pytest.importorskip("av")
    for name in ("bare/1.png", "design/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((people_folder / "ada" / name).read_bytes())
    (tmp_path / "design/cut.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    verdict = judged(tmp_path, tiny)
    assert any("cut.mp4" in one and one.startswith("Left out") for one in verdict.notices)
    assert verdict.verdicts[0].videos == ()


def test_a_video_of_a_person(people_folder: Path, tiny: Recognizer, tmp_path: Path) -> None:
    av: Any = pytest.importorskip("av")
    root = tmp_path / "ada"
    for name in ("bare/0.png", "bare/1.png", "plain/0.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes((people_folder / "ada" / name).read_bytes())
    (root / "design").mkdir()
    face = np.asarray(Image.open(people_folder / "ada/design/1.png").resize((340, 300)))
    with av.open(str(root / "design/walk.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(2), options={"bf": "0", "crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 340, 300, "yuv420p"
        for number in range(5):
            shown = np.full_like(face, 90) if number == 2 else face
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        container.mux(stream.encode(None))
    verdict = judged(root, tiny)
    (one,) = verdict.verdicts[0].videos
    assert (one.file, one.frames, one.no_face, one.step_s) == ("design/walk.mp4", 5, 1, 0.5)
    matched = verdict.verdicts[0].scored.matched[verdict.seen.of("ada", "design")]
    assert one.matched == int(np.nansum(matched))
    assert one.longest_run_s == (1.0 if one.matched else 0.0)
    assert "videos, design: 1 with 5 frames" in judge_table(verdict)


def test_looking_is_what_the_detector_says(people_folder: Path) -> None:
    look = Looker(FaceDetector(), size=112, every_s=1.0).photo(people_folder / "ada/bare/1.png")
    assert look.faces == 1
    assert look.face is not None
    (crop,) = load_faces(FacesSettings(root=people_folder / "ada/bare/1.png", size=112, cache=False)).crops
    assert torch.equal(look.face.crop, crop.picture)
    assert torch.allclose(look.face.landmarks, crop.landmarks, atol=1e-4)
    assert look.face.eyes_px == pytest.approx(crop.face_px)
