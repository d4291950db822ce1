"""`advmask judge` on a rehearsal: a design learned in a minute and drawn into other photos of its wearers."""

import json
import shutil
from pathlib import Path

import pytest

from advmask import cli
from advmask.core.config_folders import designs_dir

PEOPLE = ("Naomi_Watts", "Pedro_Almodovar", "Yao_Ming")


@pytest.mark.slow
@pytest.mark.shared
def test_a_design_that_works_is_seen_to_work(
    shared_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for person in PEOPLE:
        photos = sorted((shared_dir / "faces" / person).glob("*.jpg"))
        for number, photo in enumerate(photos):
            folder = Path("known" if number < 3 else "other", person)
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(photo, folder)
    quick = ["experiment=quick", "faces.cache=cache", "trainer.progress=false", "trainer.threads=1"]
    assert cli.main(["train", *quick, "faces.root=known", "faces.split=[1,0,0]", "hydra.run.dir=run"]) == 0
    for worn, design in (("plain", designs_dir() / "surgical_blue.png"), ("design", Path("run"))):
        assert cli.main(["apply", f"design={design}", "input=other", f"output={worn}", "progress=false"]) == 0
    for person in PEOPLE:
        shutil.copytree(f"known/{person}", f"test/{person}/bare")
        for worn in ("plain", "design"):
            shutil.copytree(f"{worn}/{person}", f"test/{person}/{worn}")
    capsys.readouterr()
    words = ["design=run", "photos=test", "faces.root=null", "protocol.progress=false"]
    assert cli.main(["judge", *words]) == 0
    out = capsys.readouterr().out
    record = json.loads(Path("run/judge.json").read_text())
    (result,) = record["results"]
    rates = {name: one["matched"]["value"] for name, one in result["conditions"].items()}
    assert record["design"]["kind"] == "run"
    assert record["recognizers"]["dlib"]["column"] == "trained on"
    assert rates["bare"] > 0.85, out
    assert rates["plain"] - rates["design"] == pytest.approx(result["drop"]["matched"]["value"])
    assert result["drop"]["matched"]["value"] > 0.3, out
    assert result["drop"]["match_confidence"]["value"] > 0.2, out
