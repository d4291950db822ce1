"""Of several processes of a run only the first one logs."""

import logging

import pytest
from pytorch_lightning.utilities import rank_zero_only

from advmask.training.processes import only_the_first_speaks


@pytest.mark.parametrize(("rank", "heard"), [(0, ["news"]), (1, [])])
def test_the_first_process_speaks(
    monkeypatch: pytest.MonkeyPatch, told: list[str], rank: int, heard: list[str]
) -> None:
    monkeypatch.setattr(rank_zero_only, "rank", rank, raising=False)
    with only_the_first_speaks():
        logging.getLogger("advmask.training.run").info("news")
    assert told == heard
    logging.getLogger("advmask.training.run").info("later")
    assert told == [*heard, "later"]
