"""What each command's help says: apart from the commands, so that help never imports torch."""

from typing import NamedTuple


class Text(NamedTuple):
    """One command's purpose in a line, and its three most useful examples."""

    purpose: str
    examples: tuple[str, str, str]


TEXTS: dict[str, Text] = {
    "train": Text(
        "Design a mask: learn a texture that keeps recognizers from matching the wearer.",
        (
            "advmask train experiment=quick hydra.run.dir=runs/quick",
            "advmask train faces.root=~/photos 'recognizers=[dlib,onnx:~/networks/arcface.onnx]'",
            "advmask train texture.start=~/pictures/flowers.png effects=cctv printer=sublimation",
        ),
    ),
    "preview": Text(
        "Draw faces bare, with a plain mask and with the design; or what each effect of a preset does.",
        (
            "advmask preview runs/first",
            "advmask preview runs/first faces.root=~/photos",
            "advmask preview effects=cctv printer=sublimation",
        ),
    ),
    "evaluate": Text(
        "Measure designs, a sweep too: how often recognizers still match their wearer, against plain masks.",
        (
            "advmask evaluate runs/first faces.root=~/photos",
            "advmask evaluate runs/sweep 'recognizers=[dlib,onnx:~/networks/arcface.onnx]'",
            "advmask evaluate ~/pictures/flowers.png faces.root=~/photos hydra.run.dir=runs/flowers",
        ),
    ),
    "compare": Text(
        "Measure several designs side by side, on the same photos, placements, light and camera.",
        (
            "advmask compare runs/first runs/second faces.root=~/photos",
            "advmask compare runs/first ~/pictures/flowers.png 'recognizers=[dlib,facenet:vggface2]'",
            "advmask compare runs/first runs/second effects=cctv protocol.people=all",
        ),
    ),
    "collect": Text(
        "Make tables of a sweep: a row for each run, recipes over their seeds, who judged whom, tests.",
        (
            "advmask collect runs/train/2026-01-01_12-00-00",
            "advmask collect runs/sweep 'columns=[texture.kind,effects.camera.jpeg]' 'figures=[tar,rank1]'",
            "advmask collect runs/a runs/b runs/c tested=match_confidence out=~/paper",
        ),
    ),
    "figures": Text(
        "Draw curves, scores, people, saliency and course of runs as SVG and PDF, next to their reports.",
        (
            "advmask figures runs/first",
            "advmask figures runs/sweep 'figures=[roc,people,course]'",
            "advmask figures runs/first 'formats=[pdf,png]' names=true out=~/paper",
        ),
    ),
    "export": Text(
        "Write the files to print: artwork, lines, PDF with plan and sewing notes, proofs.",
        (
            "advmask export runs/first paper=a4",
            "advmask export runs/first paper=a4 printer=sublimation",
            "advmask export ~/pictures/flowers.png mask=pleated 'sizes=[S,M]'",
        ),
    ),
    "apply": Text(
        "Wear a design in pictures and videos: the digital mask.",
        (
            "advmask apply runs/first photo.jpg worn.jpg",
            "advmask apply runs/first ~/photos ~/worn",
            "advmask apply ~/pictures/flowers.png film.mp4 worn.mp4 mask=pleated",
        ),
    ),
    "judge": Text(
        "The physical test: are people in the printed mask still matched? Also the page that tells how.",
        (
            "advmask judge protocol design=runs/first",
            "advmask judge design=runs/first photos=~/test",
            "advmask judge photos=~/test enrolment=~/known faces.root=~/other-people 'recognizers=[present]'",
        ),
    ),
    "designs": Text(
        "List the measured designs that ship (without a name), or show the card of one.",
        (
            "advmask designs linocut",
            "advmask designs poppies",
            "advmask designs name=null",
        ),
    ),
    "calibrate": Text(
        "Measure a printer: print a chart, photograph it, and let advmask learn how it answers colours.",
        (
            "advmask calibrate chart paper=a4",
            "advmask calibrate fit ~/pictures/chart.jpg printer.name=mine",
            "advmask calibrate fit chart.jpg printer.name=mine overwrite=true",
        ),
    ),
    "pattern": Text(
        "Draw the flat patterns of masks as SVG at true size, and say how much their cloth must stretch.",
        (
            "advmask pattern mask=gaiter template=true out=~/sewing",
            "advmask pattern mask=panelled mask.size=L",
            "advmask pattern mask.pattern=~/drawings/mine.svg",
        ),
    ),
    "weights": Text(
        "List the weights of recognizers that are known or here; get, verify or add some.",
        (
            "advmask weights list",
            "advmask weights get facenet:vggface2",
            "advmask weights add ~/backbone.pth name=arcface-r50-ms1mv3",
        ),
    ),
    "cache": Text(
        "Show or clear the face crops and placed masks that are kept so that they are not made again.",
        (
            "advmask cache show",
            "advmask cache clear",
            "advmask cache clear folder=~/crops",
        ),
    ),
    "reproduce": Text(
        "Make a finished run again from its folder: is the design bit-equal, and what differs if not?",
        (
            "advmask reproduce runs/first hydra.run.dir=runs/again",
            "advmask reproduce ~/supplement/run faces.root=~/photos",
            "advmask reproduce ~/supplement/run 'recognizers=[dlib,onnx:~/networks/arcface.onnx]'",
        ),
    ),
    "studio": Text(
        "Open the artist's page in the browser: from a drawing to the print, on this machine alone.",
        (
            "advmask studio ~/masks",
            "advmask studio browser=false",
            "advmask studio ~/masks port=8800",
        ),
    ),
}

# Shown by `advmask --help`: design, look, measure.
OVERVIEW_EXAMPLES = (
    TEXTS["train"].examples[0],
    TEXTS["preview"].examples[1],
    TEXTS["evaluate"].examples[0],
)
