"""One look for all figures, and how they are written: the same bytes each time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from advmask.core.errors import ConfigError, MissingPackageError
from advmask.core.files import write_with
from advmask.evaluation.probe_scores import BARE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Format = Literal["svg", "pdf", "png"]
COLUMN_MM, PAGE_MM = 89.0, 183.0  # widths of a column of two, and of a page, as journals have them
# Of Okabe and Ito; the dashes tell lines apart where there is no colour at all. They are one fewer than the
# colours, so that the eighth line is not the first again.
DESIGN, PLAIN, BARE_FACE, OTHERS = "#D55E00", "#0072B2", "#000000", "#009E73"
SERIES = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)), (0, (2, 1)), (0, (7, 2)))
_STYLE = Path(__file__).with_name("paper.mplstyle")
_DPI = 300
# Without times, so that the same figures are the same files.
_METADATA: dict[Format, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}


def need_matplotlib() -> None:
    """Make sure that figures can be drawn.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    try:
        import matplotlib.style  # noqa: F401
    except ImportError as error:
        raise MissingPackageError(
            "Figures need matplotlib, which is not installed; run: pip install 'advmask[figures]'"
        ) from error


@contextmanager
def styled(own: Path | None = None) -> Iterator[None]:
    """Draw in the style of this package inside the block.

    Args:
        own: A matplotlib style sheet whose values stand over it.

    Raises:
        MissingPackageError: matplotlib is not installed.
        ConfigError: The style sheet cannot be read.
    """
    need_matplotlib()
    import matplotlib.style

    with matplotlib.rc_context(), warnings.catch_warnings():
        # Names of runs in letters that the font lacks are boxes, which needs no warning for each.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        matplotlib.style.use(["default", str(_STYLE)])
        if own is not None:
            try:
                matplotlib.style.use(str(own))
            except (OSError, ValueError) as error:
                raise ConfigError(
                    f"{own} is no matplotlib style sheet that can be read; check style."
                ) from error
        yield


def new_figure(width_mm: float, height_mm: float) -> Figure:
    """An empty figure of a size on paper."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_mm / 25.4, height_mm / 25.4))


def panels(count: int, *, height_mm: float = 62.0, share: bool = True) -> tuple[Figure, list[Any]]:
    """A figure with as many panels as there are set-ups: one as wide as a column, more in rows of a page.

    Args:
        count: Of panels.
        height_mm: Of a row.
        share: All have the same axes.
    """
    columns = 1 if count == 1 else 2 if count in {2, 4} else 3
    rows = -(-count // columns)
    figure = new_figure(COLUMN_MM if count == 1 else PAGE_MM, height_mm * rows)
    axes = figure.subplots(rows, columns, sharex=share, sharey=share, squeeze=False)
    every = list(axes.ravel())
    for extra in every[count:]:
        extra.remove()
    return figure, every[:count]


def legend_below(figure: Figure, axes: Sequence[Any]) -> None:
    """One legend for all panels, under them, where it hides nothing; what is in several of them once."""
    named: dict[str, Any] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    handles, labels = list(named.values()), list(named)
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 4))


def look(condition: str, plain: str | None) -> dict[str, Any]:
    """Colour and dashes of a condition: the same in every figure."""
    if condition == BARE:
        return {"color": BARE_FACE, "linestyle": DASHES[2]}
    if condition == plain:
        return {"color": PLAIN, "linestyle": DASHES[1]}
    return {"color": DESIGN, "linestyle": DASHES[0]}


def write_figure(folder: Path, name: str, figure: Figure, formats: Sequence[Format]) -> list[Path]:
    """Write a figure in each format; call it inside `styled`.

    Raises:
        RunError: The folder cannot be written to.
    """
    paths = []
    for ending in formats:
        path = folder / f"{name}.{ending}"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            write_with(
                path,
                lambda aside, ending=ending: figure.savefig(  # type: ignore[misc]
                    aside, format=ending, dpi=_DPI, metadata=_METADATA[ending]
                ),
            )
        paths.append(path)
    return paths
