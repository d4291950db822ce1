"""Which files are worked on, and what the results are called."""

from pathlib import Path

import pytest

from advmask.applying.job_folders import plan_jobs
from advmask.core.errors import ConfigError, PhotoError


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_a_tree_is_mirrored(tmp_path: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    touch(source, "a.JPG", "b/c.png", "b/d e/f.mp4", "notes.txt", ".hidden.jpg", ".git/g.jpg")
    touch(source, "a.occluder.png", "a.points.json")
    touch(output, "b/c.png")
    plan = plan_jobs(source, output, overwrite=False)
    assert [(str(job.target.relative_to(output)), job.kind) for job in plan.jobs] == [
        ("a.JPG", "picture"),
        ("b/d e/f.mp4", "video"),
    ]
    assert plan.done == (output / "b" / "c.png",)
    assert plan.strange == (source / "notes.txt",)
    assert len(plan_jobs(source, output, overwrite=True).jobs) == 3


def test_names_whose_format_is_not_written_get_an_ending(tmp_path: Path) -> None:
    source = tmp_path / "in"
    touch(source, "a.JFIF", "__MACOSX/b.jpg", "@eaDir/c.jpg", "Thumbs.db", "e.gif")
    (source / "f.HEIC").write_bytes(b"\0\0\0\x14ftypheic\0\0\0\0mif1")
    (source / "g").write_bytes(b"\xff\xd8\xff")
    (source / "broken.jpg").symlink_to("/nowhere")
    (source / "folder").symlink_to(tmp_path)
    plan = plan_jobs(source, tmp_path / "out", overwrite=False)
    assert [job.target.name for job in plan.jobs] == ["a.JFIF", "e.gif.png", "f.HEIC.jpg", "g.jpg"]
    assert plan.strange == (source / "broken.jpg", source / "folder")
    (job,) = plan_jobs(source / "g", tmp_path, overwrite=False).jobs
    assert job.target == tmp_path / "g.jpg"
    with pytest.raises(ConfigError, match="does not say what to write"):
        plan_jobs(source / "f.HEIC", tmp_path / "x.heic", overwrite=False)


def test_one_file(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.mp4")
    folder = tmp_path / "folder"
    folder.mkdir()
    for output, target in ((tmp_path / "c.png", tmp_path / "c.png"), (folder, folder / "a.jpg")):
        (job,) = plan_jobs(tmp_path / "a.jpg", output, overwrite=False).jobs
        assert job.target == target
    with pytest.raises(ConfigError, match="does not say what to write"):
        plan_jobs(tmp_path / "a.jpg", tmp_path / "c.mp4", overwrite=False)
    with pytest.raises(ConfigError, match="does not say what to write"):
        plan_jobs(tmp_path / "b.mp4", tmp_path / "c.png", overwrite=False)
    with pytest.raises(ConfigError, match="does not say what to write"):
        plan_jobs(tmp_path / "b.mp4", tmp_path / "nowhere", overwrite=False)


def test_nothing_is_replaced_by_its_own_result(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.jpg", "in/in/a.jpg")
    for output in (tmp_path / "in" / "a.jpg", tmp_path / "in" / "in" / ".." / "a.jpg", tmp_path / "in"):
        with pytest.raises(ConfigError, match="would replace"):
            plan_jobs(tmp_path / "in" / "a.jpg", output, overwrite=True)
    for output in (tmp_path / "in", tmp_path / "in" / "out"):
        with pytest.raises(ConfigError, match="lies in the folder that is read"):
            plan_jobs(tmp_path / "in", output, overwrite=True)
    link = tmp_path / "link.jpg"
    link.symlink_to(tmp_path / "in" / "a.jpg")
    with pytest.raises(ConfigError, match="would replace"):
        plan_jobs(tmp_path / "in" / "a.jpg", link, overwrite=True)
    (job,) = plan_jobs(tmp_path / "in" / "in", tmp_path / "other", overwrite=True).jobs
    assert job.target == tmp_path / "other" / "a.jpg"


def test_nothing_to_work_on(tmp_path: Path) -> None:
    touch(tmp_path, "in/notes.txt", "file")
    with pytest.raises(PhotoError, match="holds no photos or videos"):
        plan_jobs(tmp_path / "in", tmp_path / "out", overwrite=False)
    with pytest.raises(PhotoError, match="neither a photo nor a video"):
        plan_jobs(tmp_path / "in" / "notes.txt", tmp_path / "out", overwrite=False)
    with pytest.raises(PhotoError, match="There is no photo"):
        plan_jobs(tmp_path / "missing", tmp_path / "out", overwrite=False)
    touch(tmp_path, "in/a.jpg")
    with pytest.raises(ConfigError, match="is a file"):
        plan_jobs(tmp_path / "in", tmp_path / "file", overwrite=False)
