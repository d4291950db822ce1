"""Which effects were simulated, in plain words with units, from the settings of a record."""

from collections.abc import Mapping
from typing import Any


def simulated(settings: Mapping[str, Any] | None) -> list[str]:
    """One sentence for each room of effects, one for what was left out, one for the printer.

    Args:
        settings: Of the record; None where they are not known.
    """
    effects = (settings or {}).get("effects")
    if not isinstance(effects, Mapping):
        return ["Which effects were simulated is not recorded."]
    get = _Reader(effects)
    rooms = {
        "How the mask sits": [
            get.up_to("wear.shift_mm", "up to {} mm off to the side or up"),
            get.up_to("wear.slip_mm", "slipped up to {} mm down"),
            get.up_to("wear.tilt_deg", "tilted up to {} degrees"),
            get.up_to("wear.scale", "up to {} % too large or small", factor=100),
            get.up_to("wear.stretch", "stretched up to {} %", factor=100),
            get.up_to("wear.folds", "up to {} folds") if get("wear.fold_mm") else "",
        ],
        "Fabric": [
            get.up_to("fabric.white", "up to {} % darker than ideal white", factor=100),
            get.up_to("fabric.base", "base colour tinted by up to {} %", factor=100),
            get.up_to("fabric.sheen", "up to {} % gloss", factor=100),
            get.up_to("fabric.shade", "lit up to {} % differently from the skin", factor=100),
            get.up_to("fabric.tint", "tinted up to {} %", factor=100),
            get.up_to("fabric.translucency", "up to {} % of the skin showing through", factor=100),
            get.up_to("fabric.weave", "threads with {} % contrast", factor=100),
            get.up_to("fabric.wrinkles", "fine wrinkles shading by {} %", factor=100),
        ],
        "Light": [
            get.up_to("light.direction", "from one side, up to {} % darker on the other", factor=100),
            get.span("light.temperature_k", "of {} to {} kelvin (daylight is 6504)"),
            get.up_to("light.shadow_share", "a cast shadow on {} % of pictures", factor=100)
            if get("light.shadow")
            else "",
        ],
        "Camera": [
            get.span("camera.optics.eyes_px", "{} to {} pixels between the eyes"),
            get.up_to("camera.optics.focus_px", "blurred by up to {} pixels"),
            get.up_to("camera.tone.exposure_ev", "up to {} stops too bright or dark"),
            get.up_to("camera.sensor.noise", "noise of up to {} %", factor=100),
            get.up_to("camera.motion.share", "motion blur on {} % of pictures", factor=100)
            if get("camera.motion.length_px")
            else "",
            get.up_to("camera.sharpening.share", "sharpened in {} % of pictures", factor=100)
            if get("camera.sharpening.amount")
            else "",
            get.up_to("camera.jpeg.share", "JPEG compression on {} % of pictures", factor=100),
        ],
    }
    lines = [f"{room}: {', '.join(filter(None, said))}." for room, said in rooms.items() if any(said)]
    missing = [room.lower() for room, said in rooms.items() if not any(said)]
    missing += [
        words
        for name, words in (
            ("fabric.weave", "threads of the fabric"),
            ("fabric.wrinkles", "fine wrinkles"),
            ("fabric.translucency", "skin showing through"),
            ("camera.motion.share", "motion blur"),
        )
        if not get(name)
    ]
    if missing:
        lines.append(f"Not simulated: {', '.join(missing)}.")
    return [*lines, printer_words(settings)]


def printer_words(settings: Mapping[str, Any] | None) -> str:
    """Which printer was simulated, if any."""
    printer = (settings or {}).get("printer")
    if not isinstance(printer, Mapping):
        return "Which printer was simulated is not recorded."
    name = str(printer.get("name") or "none").replace("_", " ")
    varies = printer.get("varies") or {}
    distances = {"grain_mm", "banding_mm"}  # scales of effects, which do nothing by themselves
    does = any(printer.get(key) for key in ("inks", "profile", "table", "spread_mm")) or any(
        value for key, value in varies.items() if key not in distances
    )
    if not does:
        return "No printer was simulated: colours are those of the file."
    about = f" {str(printer['about']).strip()}" if printer.get("about") else ""
    return f"Printer simulated: {'one of your own' if name == 'none' else name}.{about}"


class _Reader:
    """Values of effects by dotted name; what is switched off counts as zero."""

    def __init__(self, effects: Mapping[str, Any]) -> None:
        self._effects = effects
        self._without = [f"{name}." for name in effects.get("without") or ()]

    def __call__(self, name: str) -> Any:
        if any(name.startswith(off) for off in self._without):
            return None
        value: Any = self._effects
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def up_to(self, name: str, words: str, *, factor: float = 1) -> str:
        """The words with the value, or none where it is zero."""
        value = self(name)
        return words.format(f"{value * factor:.4g}") if value else ""

    def span(self, name: str, words: str) -> str:
        """The words with both ends, or none where there is no range or it is daylight alone."""
        ends = self(name)
        if not ends or (name == "light.temperature_k" and len({round(end) for end in ends}) == 1):
            return ""
        return words.format(*(f"{end:g}" for end in ends))
