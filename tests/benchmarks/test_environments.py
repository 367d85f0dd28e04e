from pathlib import Path

import pytest

from benchmarks import environments
from benchmarks.environments import ENVIRONMENTS, install, is_installed
from benchmarks.peer_process import CONTENDERS


def test_every_contender_has_an_environment_of_pinned_versions() -> None:
    assert {kind.environment for kind in CONTENDERS.values()} == set(ENVIRONMENTS)
    assert all("==" in package for packages in ENVIRONMENTS.values() for package in packages)


def test_what_cannot_be_installed_is_reported_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = str(tmp_path / "no-such-package-1.0-py3-none-any.whl")
    monkeypatch.setattr(environments, "ENVIRONMENTS", {"bad": (missing,), "there": ("numpy==1",)})
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "requirements.txt").write_text(environments.requirements("there"))
    news: list[str] = []
    bad, there = install(("bad", "there"), tmp_path, news.append)
    assert bad.failure is not None
    assert "no-such-package" in bad.failure
    assert not is_installed("bad", tmp_path)
    assert there.failure is None
    assert len(news) == 1


def test_other_versions_than_those_named_are_no_environment(tmp_path: Path) -> None:
    (tmp_path / "jax").mkdir()
    (tmp_path / "jax" / "requirements.txt").write_text("jax==0.1\n")
    assert not is_installed("jax", tmp_path)
