"""One suite for both ways to keep the versions of data sets: DynamoDB's API (moto) and the memory twin."""

from __future__ import annotations

import pytest

from chalicelib.aws.datasets import Datasets, DynamoDatasets, MemoryDatasets


@pytest.fixture(params=["dynamodb", "memory"])
def datasets(request: pytest.FixtureRequest) -> Datasets:
    return MemoryDatasets() if request.param == "memory" else DynamoDatasets(request.getfixturevalue("key_table"))


def test_data_set_that_was_never_published_has_version_0(datasets: Datasets) -> None:
    assert datasets.version("contracts") == 0


def test_newer_version_is_published_and_an_older_one_is_not(datasets: Datasets) -> None:
    datasets.publish("contracts", 3)
    datasets.publish("contracts", 2)
    assert datasets.version("contracts") == 3
    datasets.publish("contracts", 4)
    assert (datasets.version("contracts"), datasets.version("others")) == (4, 0)
