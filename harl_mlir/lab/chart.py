"""Line charts as inline SVG: medians as lines, quartiles as bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from harl_mlir.lab.statistics import Curve

COLOURS = (
    "#0b6fa4",
    "#d1495b",
    "#3a7d44",
    "#8f5bb3",
    "#c77800",
    "#4d4d4d",
    "#00838f",
    "#a0522d",
    "#7a7a00",
    "#c2185b",
)
_WIDTH, _HEIGHT = 460, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 8, 36
_GRID = (0.0, 0.25, 0.5, 0.75, 0.95, 1.0)


def colour(number: int) -> str:
    """The colour of agent `number`."""
    return COLOURS[number % len(COLOURS)]


def chart(curves: Mapping[str, Curve], colours: Mapping[str, str], axis: str) -> str:
    """An SVG element with one line an agent; the vertical axis is the share of the best throughput."""
    most = max((curve.at[-1] for curve in curves.values() if curve.at), default=1.0) or 1.0

    def x(value: float) -> float:
        return _LEFT + value / most * (_WIDTH - _LEFT - _RIGHT)

    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="best so far over {escape(axis)}">'
    ]
    for share in _GRID:
        dash = ' stroke-dasharray="4 3"' if share == 0.95 else ""
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_y(share):.1f}" y2="{_y(share):.1f}" '
            f'class="grid"{dash}/><text x="{_LEFT - 5}" y="{_y(share) + 4:.1f}" class="left">{share:g}</text>'
        )
    for part in range(5):
        value = most * part / 4
        parts.append(f'<text x="{x(value):.1f}" y="{_HEIGHT - 20}" class="below">{value:.3g}</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 4}" class="below">{escape(axis)}</text>')
    for name, curve in curves.items():
        xs = [x(value) for value in curve.at]
        there = [*_points(xs, curve.high), *reversed(_points(xs, curve.low))]
        parts.append(f'<polygon points="{" ".join(there)}" fill="{colours[name]}" fill-opacity="0.12"/>')
    for name, curve in curves.items():
        points = " ".join(_points([x(value) for value in curve.at], curve.median))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colours[name]}" stroke-width="1.8">'
            f"<title>{escape(name)}</title></polyline>"
        )
    return "".join([*parts, "</svg>"])


def _y(share: float) -> float:
    return _TOP + (1 - min(1.0, share)) * (_HEIGHT - _TOP - _BOTTOM)


def _points(xs: Sequence[float], shares: Sequence[float]) -> list[str]:
    return [f"{x:.1f},{_y(share):.1f}" for x, share in zip(xs, shares, strict=True)]
