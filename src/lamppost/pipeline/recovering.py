"""What a process mends before it goes on where an earlier life of it was cut off."""

from __future__ import annotations

from lamppost.base.logging import get_logger
from lamppost.model.books import GapOpened
from lamppost.pipeline.child import ChildContext
from lamppost.record.segment_record import finish_segment
from lamppost.seal.notes import NoteSigner
from lamppost.store.journal import JournalWriter
from lamppost.store.recovery import recover_writer
