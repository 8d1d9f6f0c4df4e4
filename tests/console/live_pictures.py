"""What a test asks of a live picture on the wall."""

from __future__ import annotations

from playwright.sync_api import Page

#: A small copy of what the video shows now, as grey values.
_GREY = """
(camera) => {
  const video = document.querySelector(`[data-camera="${camera}"] video`);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [64, 36];
  const brush = canvas.getContext('2d');
  brush.drawImage(video, 0, 0, 64, 36);
  const {data} = brush.getImageData(0, 0, 64, 36);
  return Array.from({length: 64 * 36}, (_, i) => Math.round((data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3));
}
"""
_MORE_PICTURES = "([camera, count]) => Number(document.querySelector(`[data-camera='${camera}'] video`)?.dataset.pictures ?? 0) >= count"


def await_live(page: Page, camera: str, *, timeout_ms: float = 60_000) -> None:
    """Until the tile says that it is live, and has shown pictures."""
    page.wait_for_selector(f"[data-camera='{camera}'] video[data-live=live]", timeout=timeout_ms)
    await_pictures(page, camera, 1, timeout_ms=timeout_ms)


def await_pictures(page: Page, camera: str, more: int, *, timeout_ms: float = 60_000) -> None:
    """Until so many more pictures were shown than now."""
    page.wait_for_function(_MORE_PICTURES, arg=[camera, shown(page, camera) + more], timeout=timeout_ms)


def shown(page: Page, camera: str) -> int:
    """How many pictures the player has shown."""
    return int(page.locator(f"[data-camera='{camera}'] video").get_attribute("data-pictures") or 0)


def grey(page: Page, camera: str) -> list[int]:
    """What is on the screen, 64 x 36 grey values."""
    return list(page.evaluate(_GREY, camera))


def changed_share(before: list[int], after: list[int], by: int = 6) -> float:
    """The share of the picture that has changed by more than `by` of 255."""
    return sum(abs(a - b) > by for a, b in zip(before, after, strict=True)) / len(before)
