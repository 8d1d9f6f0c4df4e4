"""Checks that every epoch has its shares, unchanged, and that nothing else lies in the vault."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lamppost.base.errors import SealError
from lamppost.model.books import EpochSealed
from lamppost.model.layout import DataFolder
from lamppost.store.check_report import CheckTools, Findings
from lamppost.store.index import FOREVER_US, Index
from lamppost.store.vault import SEAL_NOTE

_LOST: Final = "restore the vault from its mirror; without k shares what was sealed to it stays shut for good"


def vault_folders(folder: DataFolder) -> list[Path]:
    """The folder of each epoch in the vault; without what a killed sealer left half-written."""
    return sorted(path for path in folder.vault.glob("*/*") if path.is_dir() and not path.name.startswith("."))


@dataclass(slots=True)
class VaultCounts:
    """What was looked at."""

    epochs: int = 0
    shares: int = 0
    destroyed: int = 0  # whose shares are gone for good


def check_vault(folder: DataFolder, index: Index, used: Iterable[str], tools: CheckTools, findings: Findings) -> VaultCounts:
    """Check the vault against the epochs of the index and those that segments use."""
    destroyed = index.destroyed()
    counts = VaultCounts(destroyed=len(destroyed))
    known = destroyed | _check_epochs(folder, index, destroyed, tools, findings, counts)
    for epoch_id in sorted(set(used) - known):
        findings.error("segments are sealed to an epoch that the index does not know", epoch_id, "`lamppost check --repair` looks for it")
    for epoch_id in sorted(set(used) & destroyed):
        if index.is_used(epoch_id):  # asked again: both may have gone while we look
            findings.error("segments are sealed to an epoch whose shares were destroyed", epoch_id, "nobody can open them; report it")
    for place in vault_folders(folder):
        if place.name in destroyed:
            _check_destroyed(folder, place, findings)
        elif place.name not in known:
            _check_unknown(folder, place, tools, findings)
    for place in sorted(folder.vault.glob("*/.*")):
        findings.note("a sealer was killed before this epoch was used", folder.relative(place), "`lamppost check --repair` removes it")
    return counts


def _check_epochs(
    folder: DataFolder, index: Index, destroyed: set[str], tools: CheckTools, findings: Findings, counts: VaultCounts
) -> set[str]:
    """Check those that should have their shares; returns the ids of all that are known."""
    epochs, destroying = index.epochs(limit=FOREVER_US), index.destroying()
    for epoch in epochs:
        if epoch.epoch_id in destroyed:
            continue
        counts.epochs += 1
        if epoch.epoch_id in destroying:
            findings.warning("the destruction of an epoch was cut off", epoch.epoch_id, "the next start ends it")
        elif index.destroyed_us(epoch.epoch_id) is None:  # it may be destroyed while we look
            counts.shares += _check_epoch(folder, epoch, tools, findings)
    return {epoch.epoch_id for epoch in epochs}


def _check_destroyed(folder: DataFolder, place: Path, findings: Findings) -> None:
    """Of a destroyed epoch nothing is left but, of a camera's last one, the seal note that the next is counted from."""
    for path in sorted(place.iterdir()):
        if path.name != SEAL_NOTE:
            findings.error(
                "a share of an epoch that was destroyed", folder.relative(path), "the next start destroys it; where did it come from?"
            )


def _check_epoch(folder: DataFolder, epoch: EpochSealed, tools: CheckTools, findings: Findings) -> int:
    try:
        return _check_files(folder, epoch, tools, findings)
    except OSError as error:  # one unreadable file must not keep the others from being checked
        where = folder.relative(folder.epoch(epoch.camera, epoch.epoch_id))
        findings.error(
            f"the shares of an epoch cannot be read: {error.strerror}", where, "let this user read the vault, or look at the disk"
        )
        return 0


def _check_files(folder: DataFolder, epoch: EpochSealed, tools: CheckTools, findings: Findings) -> int:
    place = folder.epoch(epoch.camera, epoch.epoch_id)
    where = folder.relative(place)
    if not place.is_dir():
        findings.error("the shares of an epoch are missing", where, _LOST)
        return 0
    names = {f"share-{number}.age": sha256 for number, sha256 in enumerate(epoch.share_sha256s, 1)}
    for name, sha256 in names.items():
        try:
            content = (place / name).read_bytes()
        except FileNotFoundError:
            findings.error("a share is missing", f"{where}/{name}", _LOST)
            continue
        if hashlib.sha256(content).hexdigest() != sha256:
            findings.error("a share is not what was sealed", f"{where}/{name}", _LOST)
    for path in sorted(place.iterdir()):
        if path.name not in names and path.name != SEAL_NOTE:
            findings.error("no share of this epoch, and nothing else belongs here", folder.relative(path), "find out who put it there")
    try:
        if tools.read_seal((place / SEAL_NOTE).read_bytes()) != epoch:
            findings.error("the seal note says something else than the index", f"{where}/{SEAL_NOTE}")
    except FileNotFoundError:
        findings.error("the seal note is missing", f"{where}/{SEAL_NOTE}", "openings cannot verify this epoch's shares without it")
    except SealError as error:
        findings.error(error.problem, f"{where}/{SEAL_NOTE}", error.remedy)
    return len(names)


def _check_unknown(folder: DataFolder, place: Path, tools: CheckTools, findings: Findings) -> None:
    where = folder.relative(place)
    try:
        tools.read_seal((place / SEAL_NOTE).read_bytes())
    except FileNotFoundError:
        findings.warning("a folder in the vault belongs to no epoch", where, "find out who put it there")
    except SealError as error:
        findings.warning(f"a folder in the vault belongs to no epoch: {error.problem}", where, "find out who put it there")
    else:
        # A kill between the vault and the journal leaves it; nothing was sealed to it.
        findings.note("an epoch was prepared and never used", where)
