"""Ids of keys, regions and the like are no secrets: their words stay readable, wherever they stand."""

from __future__ import annotations

import pytest

from adapters.secrets.names import is_open


@pytest.mark.parametrize(
    "name",
    ["AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "B2_ACCOUNT_ID", "AZURE_ACCOUNT_NAME", "GOOGLE_PROJECT_ID",
     "OS_REGION_NAME", "access-key-id", "aws.region", "MINIO_ENDPOINT", "AWS_ENDPOINT_URL"],
)  # fmt: skip
def test_who_asks_and_where_is_no_secret(name: str) -> None:
    assert is_open(name)


@pytest.mark.parametrize(
    "name",
    ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "B2_ACCOUNT_KEY", "AZURE_ACCOUNT_KEY", "RESTIC_PASSWORD", "ST_KEY",
     "OS_PASSWORD", "password", "identity", "REGIONAL", "KEY_IDENTITY", ""],
)  # fmt: skip
def test_everything_else_is_one(name: str) -> None:
    assert not is_open(name)
