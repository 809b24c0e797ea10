"""The picture of a data set: one PNG with a week, everybody's days, and the pressure."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from seed import SeedError
from seed.generate.profiles import PROFILES
from seed.preview import _COLOURS, draw, people_to_draw
from tests.support.seed_data import spec


@pytest.mark.parametrize("changes", [
    {}, {"users": 2, "days": 3, "readings": 900, "activities": 200, "notifications": 9},
    {"users": 12, "days": 4, "readings": 9_000, "notifications": 40}])
def test_the_picture_shows_the_days_in_the_colours_of_its_legend(tmp_path, changes):
    draw(spec(**changes), tmp_path / "data.png")
    picture = mpl.image.imread(tmp_path / "data.png")[:, :, :3]
    assert picture.shape[0] > 1_000
    for name in ("sleep", "cooking", "meal", "work"):
        share = (np.abs(picture - to_rgb(_COLOURS[name])).max(axis=2) < 0.02).mean()
        # Far more of it than the legend alone has; the weeks' bands and the days' maps are full of it.
        assert share > (0.02 if name == "sleep" else 0.001), name


@pytest.mark.parametrize(("users", "shown"), [(2, 2), (5, 5), (12, 5)])
def test_of_many_people_one_of_each_profile_is_drawn(users, shown):
    assert [person.profile for person in people_to_draw(spec(users=users))] == list(PROFILES[:shown])


def test_nothing_to_draw_is_one_line(tmp_path):
    with pytest.raises(SeedError, match=r"^seed readings: none are asked for"):
        draw(spec(readings=0), tmp_path / "data.png")
    assert not (tmp_path / "data.png").exists()
