"""Whatever pictures are judged, no figure of a real print claims to be certain."""

from estimates_within import check_estimates
from hypothesis import given
from hypothesis import strategies as st
from made_up_scores import made_up

from advmask.evaluation.real_prints.persistence import video_scores
from advmask.evaluation.real_prints.rates import rates_of


@given(
    pictures=st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from(["bare", "plain", "design"]),
            st.sampled_from(["1.jpg", "2.jpg", "3.mp4"]),
            st.sampled_from([0.1, 0.1, 0.9, None]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_no_interval_is_certain(pictures: list[tuple[str, str, str, float | None]]):
    rows = [
        (person, worn, file, 0.5 * number if file.endswith("mp4") else None, value)
        for number, (person, worn, file, value) in enumerate(pictures)
    ]
    seen, scored = made_up(rows)
    videos = video_scores(seen, scored, every_s=0.5)
    people = sorted({row[0] for row in rows})
    for names in (people, people[:1]):
        check_estimates(rates_of(seen, scored, videos, names))
