from __future__ import annotations

from pathlib import Path

from lamppost.pipeline.mask_files import _staged


def test_a_name_as_long_as_a_name_can_be_is_staged(tmp_path: Path) -> None:
    target = tmp_path / f"{'n' * 251}.mp4"
    with _staged(target) as staging:
        staging.write_bytes(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
