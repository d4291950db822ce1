"""Which cloth, lining, transfer paper and heat a print takes, in plain words."""

from advmask.masks.flat_pattern import FlatPattern

_HEAT = "Time and heat are those that the maker of the paper and the ink writes on the packet"
_OF_PRINTER = {
    "office_inkjet": (
        "An inkjet at home prints paper, or sheets of cotton made for inkjets (white, on a backing that is "
        "peeled off). Ink that is not fixed runs when it is washed: fix it as the maker of the sheet says.",
    ),
    "sublimation": (
        "Sublimation takes white or very light cloth of polyester, the more the better; on cotton it washes "
        "out. The print is made on sublimation paper, laid face down on the cloth and pressed with a heat "
        f"press, not an iron. {_HEAT}; about 200 degrees Celsius for the better part of a minute is usual.",
    ),
    "direct_to_garment": (
        "Direct to garment takes cotton, or cloth that is mostly cotton, white or light. The shop prepares "
        "the cloth, prints it and cures it with heat: ask whether it takes cut pieces or a metre of cloth.",
    ),
    "laser_transfer": (
        "Print on transfer paper made for laser printers and for light cloth; paper for inkjets melts in "
        "them. Cotton or cotton with polyester, smooth and white. Lay it face down and press with a hot, dry "
        f"iron or a press, a sheet of baking paper between. {_HEAT}; let it cool, then peel.",
    ),
}
_ANY = (
    "Which cloth takes the ink depends on the printer: polyester for sublimation, cotton for direct to "
    "garment, inkjet sheets and most transfer foils. Ask the shop, or name the printer when you export."
)
_CLOTH = {
    "contour": "This mask wants knitted cloth that stretches a little both ways.",
    "gaiter": "A gaiter wants thin knitted cloth that stretches both ways; it has no lining.",
    "panelled": "This mask wants woven cloth, close and smooth.",
    "pleated": "This mask wants woven or non-woven cloth that keeps a pressed fold.",
    "flatfold": (
        "This mask wants woven or non-woven cloth, firm enough to stand off the mouth. It has the shape of a "
        "respirator and is none: cloth filters little."
    ),
}
_LINING = (
    "Lining: a second layer of soft, undyed cotton, cut by the plan along the same line, is sewn behind the "
    "print, so that no ink touches the mouth. Wash both before you cut: cotton shrinks."
)


def cloth_words(pattern: FlatPattern, *, printer: str, mirrored: bool) -> tuple[str, ...]:
    """Sentences on cloth, heat and lining.

    Args:
        pattern: What is sewn.
        printer: Its name; one that is not known here gets what holds for all.
        mirrored: Whether the print is transferred.
    """
    known = _OF_PRINTER.get(printer, (_ANY,))
    cloth = (_CLOTH[pattern.name],) if pattern.name in _CLOTH else ()
    peeled = ("Try heat and time on a scrap of the same cloth first.",) if mirrored else ()
    lining = () if pattern.straps == "none" else (_LINING,)
    return (*cloth, *known, *peeled, *lining)
