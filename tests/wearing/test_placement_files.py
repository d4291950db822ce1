"""Files of placements: true to the bit, mapped, and never half read."""

from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from placement_samples import anonymous_kb, placement, same

from advmask.render.batching import collate
from advmask.render.packing import PackedPlacement
from advmask.render.pyramid import MipPyramid
from advmask.wearing.placement_files import count_placements, placements_to_bytes, read_placement

FRESH = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(path: Path, *placements: PackedPlacement) -> Path:
    path.write_bytes(placements_to_bytes(placements))
    return path


@settings(FRESH, max_examples=40)
@given(sizes=st.lists(st.integers(0, 30), min_size=1, max_size=9), seed=st.integers(0, 1000))
def test_each_placement_comes_back(tmp_path: Path, sizes: list[int], seed: int):
    placements = [placement(seed + i, pixels=size) for i, size in enumerate(sizes)]
    path = written(tmp_path / "file", *placements)
    assert count_placements(path) == len(placements)
    for number, expected in enumerate(placements):
        for check in (True, False):
            assert same(read_placement(path, number, check=check), expected)
    with pytest.raises(ValueError, match=f"does not hold placement {len(sizes)}"):
        read_placement(path, len(sizes))


def test_a_mapped_placement_is_collated_like_its_original(tmp_path: Path):
    placements = [placement(i) for i in range(4)]
    path = written(tmp_path / "file", *placements)
    mapped = [read_placement(path, i) for i in range(4)]
    assert same(collate(mapped, height=112, width=112), collate(placements, height=112, width=112))


def test_one_file_is_for_textures_of_one_size():
    for placements in ([], [placement(0), placement(1, pyramid=MipPyramid(20, 31, 3))]):
        with pytest.raises(ValueError, match="textures of one size"):
            placements_to_bytes(placements)


def test_they_are_safetensors_files(tmp_path: Path):
    placements = [placement(i) for i in range(3)]
    stored = safetensors.torch.load_file(written(tmp_path / "file", *placements))
    for name in ("pixel", "gain", "under"):
        assert torch.equal(stored[name], torch.cat([getattr(item, name) for item in placements]))
    for name in ("start", "texel", "weight"):
        assert torch.equal(stored[name], torch.cat([getattr(item.taps, name) for item in placements]))


@settings(FRESH, max_examples=300)
@given(data=st.data())
def test_damage_is_refused(tmp_path: Path, data: st.DataObject):
    placements = [placement(i) for i in range(3)]
    path = written(tmp_path / "file", *placements)
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
        with pytest.raises(ValueError, match="does not hold"):
            count_placements(path)
    else:
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(content)
    for number, expected in enumerate(placements):
        try:
            found = read_placement(path, number)
        except ValueError:
            continue
        assert same(found, expected)  # the damage lies in another one


def test_a_flipped_weight_is_noticed_where_it_lies_and_only_if_asked(tmp_path: Path):
    path = written(tmp_path / "file", placement(3), placement(4))
    content = path.read_bytes()
    weight = placement(4).taps.weight.numpy().tobytes()
    at = content.index(weight)
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert same(read_placement(path, 0), placement(3))
    with pytest.raises(ValueError, match="placement 1 is not what was written"):
        read_placement(path, 1)
    read_placement(path, 1, check=False)


def test_other_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(FileNotFoundError):
        read_placement(tmp_path / "nothing", 0)
    with pytest.raises(FileNotFoundError):
        count_placements(tmp_path / "nothing")
    for content in (b"", b"short", b"\xff" * 100, (2).to_bytes(8, "little") + b"[]", bytes(100)):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(ValueError, match="does not hold"):
            count_placements(tmp_path / "other")
        with pytest.raises(ValueError, match="does not hold placement 0"):
            read_placement(tmp_path / "other", 0)
    path = written(tmp_path / "file", placement())
    monkeypatch.setattr("advmask.wearing.placement_files.FORMAT_VERSION", 0)
    for read in (count_placements, lambda path: read_placement(path, 0)):
        with pytest.raises(ValueError, match="format 0"):
            read(path)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the memory figures of Linux")
def test_placements_lie_in_their_file_and_not_in_memory(tmp_path: Path):
    pyramid = MipPyramid(400, 600)
    large = [placement(i, pixels=12_000, pyramid=pyramid) for i in range(3)]  # 0.2 MB each
    paths = [written(tmp_path / str(i), *large * 4) for i in range(20)]
    read_placement(paths[0], 1)
    before = anonymous_kb()
    kept = [read_placement(path, number) for path in paths for number in range(12)]
    assert sum(item.bytes for item in kept) > 60_000_000
    assert anonymous_kb() - before < 6_000
    assert same(kept[-1], large[-1])


def test_a_mapped_placement_outlives_its_file_and_cannot_change_it(tmp_path: Path):
    path = written(tmp_path / "file", placement(5))
    read_placement(path, 0).under.zero_()
    found = read_placement(path, 0)
    path.unlink()
    assert same(found, placement(5))
    assert not torch.equal(found.under, torch.zeros_like(found.under))
