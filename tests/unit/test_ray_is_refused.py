"""The guard of this folder's conftest works."""

import pytest
import ray


def test_unit_test_that_starts_ray_fails():
    with pytest.raises(pytest.fail.Exception, match="a unit test must not start Ray"):
        ray.init(address="local", num_cpus=1, include_dashboard=False)


def test_work_sent_to_ray_without_starting_it_fails_too():
    with pytest.raises(pytest.fail.Exception, match="a unit test must not start Ray"):
        ray.put(1)
