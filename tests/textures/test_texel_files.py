import pytest
import torch
from safetensors.torch import save_file

from advmask.core.errors import DesignError, RunError
from advmask.textures.texel_files import load_texels, load_texels_metadata, save_texels

METADATA = {"pattern": "p", "size": "M", "texels_per_mm": "3.0", "note": "ü", "z": "1", "a": "2"}


def test_texels_come_back_to_the_last_bit(tmp_path):
    texels = torch.rand(3, 7, 5)
    save_texels(tmp_path / "t.safetensors", texels, metadata=METADATA)
    assert torch.equal(load_texels(tmp_path / "t.safetensors"), texels)
    assert load_texels_metadata(tmp_path / "t.safetensors") == METADATA


def test_a_view_with_gradient_can_be_saved(tmp_path):
    texels = torch.rand(7, 5, 3, requires_grad=True).permute(2, 0, 1)
    save_texels(tmp_path / "t.safetensors", texels)
    back = load_texels(tmp_path / "t.safetensors")
    assert torch.equal(back, texels.detach())
    assert not back.requires_grad
    assert load_texels_metadata(tmp_path / "t.safetensors") == {}


def test_the_order_of_metadata_does_not_change_the_file(tmp_path):
    texels = torch.rand(3, 4, 4)
    save_texels(tmp_path / "a", texels, metadata=METADATA)
    save_texels(tmp_path / "b", texels, metadata=dict(reversed(METADATA.items())))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    "texels", [torch.rand(3, 4), torch.full((3, 2, 2), -0.1), torch.full((3, 2, 2), torch.nan)]
)
def test_what_is_no_design_is_not_saved(tmp_path, texels):
    with pytest.raises(DesignError):
        save_texels(tmp_path / "t.safetensors", texels)
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_refused(tmp_path):
    (tmp_path / "junk").write_bytes(b"junk")
    save_file({"weights": torch.zeros(3)}, tmp_path / "other")
    save_file({"texels": torch.full((3, 2, 2), 7.0)}, tmp_path / "wild")
    for name in ("junk", "other", "wild", "none"):
        with pytest.raises(DesignError):
            load_texels(tmp_path / name)


def test_a_folder_that_is_a_file_gives_a_run_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError):
        save_texels(tmp_path / "file" / "t.safetensors", torch.rand(3, 2, 2))


@pytest.mark.parametrize("about", ["[]", "3", '"x"', "null", "[" * 100_000, "{"])
def test_texels_that_say_nonsense_of_themselves_are_refused(tmp_path, about):
    save_file({"texels": torch.full((3, 2, 2), 0.5)}, tmp_path / "odd", metadata={"advmask": about})
    for read in (load_texels, load_texels_metadata):
        with pytest.raises(DesignError, match="is not a texture of advmask"):
            read(tmp_path / "odd")
