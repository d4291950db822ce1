"""The words of the technical part."""

from advmask.evaluation.report.html import text

_WORDS = {
    "probe": "one picture that is shown to a recognizer: a photo with one draw of how a mask sits, is lit "
    "and photographed",
    "set-up": "where a recognizer gets the place of the face (aligner) and what it knows people from "
    "(gallery)",
    "aligner": "finds the face before the network looks: mtcnn, dlib5 and mesh468 do so afresh on the masked "
    "picture; place given: the place is taken from the picture without a mask (bare in results.json)",
    "gallery": "the photos that people are known from: enrolled bare (without a mask), enrolled masked "
    "(with a plain blue mask drawn onto them), enrolled bare and masked (the better likeness counts; pooled "
    "in results.json)",
    "FMR": "false match rate: the share of comparisons between different people, without masks, that match. "
    "It sets the threshold; 0.01 is one in 100",
    "TAR": "true accept rate: the share of probes matched to their own person at that threshold",
    "rank-1": "the share of probes more similar to their own person than to anybody else at hand; no "
    "threshold",
    "match confidence": "likeness on a scale from 0 to 1 on which 0.5 is the threshold",
    "no mask, noise, lower face": "conditions beside the plain masks and the design: the bare face (bare in "
    "results.json), a mask of random colours, and a mask printed with the lower half of a face",
}


def glossary() -> str:
    """What the words mean, as a list of definitions."""
    items = "".join(f"<dt>{text(word)}</dt><dd>{text(meaning)}.</dd>" for word, meaning in _WORDS.items())
    return f"<dl>{items}</dl>"
