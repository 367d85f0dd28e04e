"""Canonical arrays of convolutions (see `benchmarks/kernels.py`) to and from plain channels-first ones."""

from __future__ import annotations

from typing import Any

import numpy as np


def grouped(case: dict[str, Any]) -> bool:
    """Whether the canonical arrays have a dimension of groups."""
    return int(case.get("groups", 1)) > 1 and not case.get("depthwise", False)


def groups(case: dict[str, Any]) -> int:
    """Groups as libraries count them: a depthwise convolution has one for each channel."""
    return int(case["channels"]) if case.get("depthwise", False) else int(case.get("groups", 1))


def image_channels_first(case: dict[str, Any], image: np.ndarray) -> np.ndarray:
    """(N, C, *spatial) of a canonical image, as a view where it can be one."""
    rank = len(case["spatial"])
    if case["layout"] == "channels_last":
        merged = image.reshape(*image.shape[: rank + 1], -1)
        return np.moveaxis(merged, -1, 1)
    return image.reshape(image.shape[0], -1, *image.shape[-rank:])


def filter_channels_first(case: dict[str, Any], taps: np.ndarray) -> np.ndarray:
    """(F, C / groups, *kernel) of a canonical filter of a convolution."""
    rank = len(case["spatial"])
    last = case["layout"] == "channels_last"
    if case.get("depthwise", False):
        return (np.moveaxis(taps, -1, 0) if last else taps)[:, np.newaxis]
    if not grouped(case):
        return np.moveaxis(taps, (-1, -2), (0, 1)) if last else taps
    if last:  # *kernel, G, C/G, F/G -> G, F/G, C/G, *kernel
        taps = np.moveaxis(taps, (rank, rank + 2, rank + 1), (0, 1, 2))
    return taps.reshape(-1, *taps.shape[2:])


def output_from_channels_first(case: dict[str, Any], output: np.ndarray) -> np.ndarray:
    """The canonical result of (N, F, *spatial)."""
    if grouped(case):
        count = int(case["groups"])
        output = output.reshape(output.shape[0], count, -1, *output.shape[2:])
        return np.moveaxis(output, (1, 2), (-2, -1)) if case["layout"] == "channels_last" else output
    return np.moveaxis(output, 1, -1) if case["layout"] == "channels_last" else output
