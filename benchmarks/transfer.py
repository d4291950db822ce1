"""How designs do against recognizers they were trained on and others; alongside a rival's recipe.

    python benchmarks/transfer.py OUT faces.root=PATH recognizers=[A,B,C] [part=white,held_out] [arms=A,B]
        [only=TEXT] [seeds=0,1] [steps=600] [jobs=2] [aligners=mtcnn,mesh468,bare] [judged=indoor]
        [people=test] [than=ARM] [further overrides of `advmask train`]

Give recognizers of different families. `part=white` trains on all of them, `part=held_out` leaves out each in
turn (`only=` those cases whose name holds a text). Arms are ways of training (`_transfer_arms.py`): by
default ours and the recipe of AdversarialMask. Designs are trained on the first 44 people and judged on the
last 20, or with `people=validate` on the 8 between, by whom recipes are chosen; under the preset `judged`,
draws that no training saw, the same for all. Trainings and judgements that stand in OUT are not made again:
arms and seeds can be added, and a killed benchmark goes on. `mesh468` needs ADVMASK_FACE_MESH.

Prints, for each case, recognizer (`*`: held out) and aligner: TAR at FMR 1e-2 and 1e-3 and mean match
confidence of the strongest plain mask and of each arm, means over seeds; how much lower the arm's confidence
is than the plain mask's and than that of the arm `than` (the rival), paired, with 95 % intervals over people;
then CPU time, and for each aligner the mean over the held-out recognizers of all cases.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from _common import again, own_options, words_of
from _transfer_arms import ARMS, LOGO, OURS, RIVAL, RIVAL_STEPS, Case, cases_of
from _transfer_runs import COST, judge_one, train_one
from _transfer_tables import Means, print_case, print_costs, print_means
from PIL import Image, ImageDraw

COMMON = ("faces.split=[44,8,20]", "trainer.batch=12", "trainer.preview_every=0", "trainer.progress=false")
DEFAULTS = {
    "part": "white,held_out",
    "only": "",
    "arms": f"{OURS},{RIVAL}",
    "seeds": "0",
    "steps": "600",
    "jobs": "1",
    "aligners": "mtcnn,mesh468,bare",
    "judged": "indoor",
    "people": "test",
    "than": RIVAL,
}


def main() -> None:
    job, *words = words_of(__doc__ or "", at_least=3)
    if job == "--train":
        train_one(Path(words[0]), words[1:])
    elif job == "--judge":
        judge_one(Path(words[0]), json.loads(words[1]))
    else:
        compare(Path(job).absolute(), words)


def compare(out: Path, words: list[str]) -> None:
    """Train and judge what is not there yet, and print the tables."""
    asked = own_options(words, DEFAULTS)
    chosen = next(word for word in words if word.startswith("recognizers="))
    words.remove(chosen)
    names = chosen.partition("=")[2].strip("[]").split(",")
    labels = [Path(name).stem.rpartition(":")[2] for name in names]
    draw_logo(out / "logo.png")
    arms, seeds, steps = asked["arms"].split(","), asked["seeds"].split(","), int(asked["steps"])
    cases = [one for part in asked["part"].split(",") for one in cases_of(part, labels)]
    cases = [one for one in cases if asked["only"] in one.name]

    def run_of(case: Case, arm: str, seed: str) -> Path:
        return out / "runs" / case.name / f"{arm}-{steps}-{seed}"

    def training(case: Case, arm: str, seed: str) -> Callable[[], None]:
        used = [names[number] for number in case.trained]
        own = [f"trainer.steps={round(steps * RIVAL_STEPS) if arm == RIVAL else steps}", f"seed={seed}"]
        own += [f"recognizers=[{','.join(used)}]"]
        recipe = [word.replace(LOGO, str(out / "logo.png")) for word in ARMS[arm]]
        return lambda: again(
            __file__, "--train", str(run_of(case, arm, seed)), *COMMON, *recipe, *words, *own
        )

    wanted = [(case, arm, seed) for seed in seeds for case in cases for arm in arms]
    todo = [training(*one) for one in wanted if not (run_of(*one) / COST).exists()]
    with ThreadPoolExecutor(int(asked["jobs"])) as pool:
        list(pool.map(lambda work: work(), todo))

    judged = out / ("judged" if asked["people"] == "test" else asked["people"])

    def judging(case: Case) -> None:
        shared = {
            "words": [*COMMON, *words, chosen],
            "aligners": asked["aligners"].split(","),
            "effects": asked["judged"],
            "people": asked["people"],
        }
        runs = {f"{arm}-{steps}-{seed}": str(run_of(case, arm, seed)) for arm in arms for seed in seeds}
        again(__file__, "--judge", str(judged / case.name), json.dumps(shared | {"runs": runs}))

    with ThreadPoolExecutor(int(asked["jobs"])) as pool:
        list(pool.map(judging, cases))
    means: Means = {}
    for case in cases:
        held_out = [label for number, label in enumerate(labels) if number not in case.trained]
        own = {arm: [f"{arm}-{steps}-{seed}" for seed in seeds] for arm in arms}
        print_case(judged / case.name, case.name, own, held_out=held_out, than=asked["than"], means=means)
        print_costs({arm: [run_of(case, arm, seed) / COST for seed in seeds] for arm in arms})
    print_means(means, than=asked["than"])


def draw_logo(path: Path) -> None:
    """A ring on the wearer's right cheek, white on black, as the mask of a locked part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("L", (620, 384))
    ImageDraw.Draw(picture).ellipse((90, 150, 190, 250), outline=255, width=24)
    picture.save(path)


if __name__ == "__main__":
    main()
