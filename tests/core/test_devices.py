"""Where networks run: on a GPU where there is one, and never in silence on another device than asked for."""

import pytest
import torch

from advmask.core.devices import device_beside, device_of
from advmask.core.errors import ConfigError
from advmask.training.machine import device_on
from advmask.training.settings import TrainerSettings


@pytest.mark.parametrize("there", [False, True])
def test_auto_takes_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert device_of("auto").type == ("cuda" if there else "cpu")
    assert device_of("auto", processes=2).type == "cpu"
    assert device_of("cpu").type == "cpu"
    if there:
        assert device_of("cuda", processes=2).type == "cuda"
    else:
        with pytest.raises(ConfigError, match="take device=auto"):
            device_of("cuda")


def test_faces_are_looked_for_where_the_networks_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    host, second = torch.device("cpu"), torch.device("cuda", 1)
    assert device_beside("auto", host) == host  # a GPU that nobody asked for stays idle
    assert device_beside("auto", second) == device_beside("cuda", second) == second
    assert device_beside("cpu", second) == host
    assert device_beside("cuda", host) == device_beside("auto", None) == torch.device("cuda")
    assert device_beside("auto", torch.device("mps")) == device_of("auto")


@pytest.mark.parametrize("there", [False, True])
def test_a_run_prepares_where_it_trains(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert device_on(TrainerSettings()).type == "cpu"
    assert str(device_on(TrainerSettings(accelerator="gpu"))) == ("cuda:2" if there else "cpu")
