"""What is kept for the next design: of the very same objects, even where others come to lie there."""

from advmask.evaluation.at_hand import AtHand


class Photos:
    pass


def test_what_was_made_of_others_is_made_again() -> None:
    at_hand, made = AtHand(), []
    for _ in range(20):
        photos = Photos()  # the one before is gone, and its number may be this one's
        for _ in range(2):
            made.append(at_hand.once("prepared", "0.01", object, of=(photos,)))
    assert len(set(map(id, made))) == 20
    assert made[0] is made[1]
