"""A program's machine code in two editions: a draft, and the final one.

LLVM takes a third of the time if it takes no pains; what it makes then takes up to some four times as long, and gives the same
bits. So the first calls run a draft, with pains taken only over what works for long (`parts.py`). A thread makes the final edition,
keeps it, and puts it in the draft's place; it gives way to other programs that are about to run for the first time. A process that
ends earlier waits for it, so that the next one finds it.
"""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from functorch_lite.extend import Program

from ..forking import whole
from .background import afterwards, be_calm, give_way
from .cache import cached, keep
from .early import callable_of, make_callable
from .entry import Code, code_of
from .linking import linked
from .unit import Source

__all__ = ["published", "wanted"]

MOST_WAITING = 16
"""So many programs may wait for their final edition; others get it at once."""


class _Draft:
    """The code of a program that runs for the time being.

    Attributes:
      source: what both editions are made of.
      code: the draft's.
      final: that of the final edition, once it is made.
      readers: what runs the draft, and shall run the final edition.
    """

    def __init__(self, source: Source):
        self.source = source
        self.code = source.draft()
        self.final: bytes | None = None
        self.readers: list[weakref.ref[Code]] = []


_drafts: dict[Any, _Draft] = {}
_lock = threading.Lock()


def published(key: str | None, emitted: Callable[[], Source], program: Program) -> Callable[..., tuple[Any, ...]]:
    """A callable from operand buffers to a tuple of result buffers.

    Args:
      key: what the program's code is kept by. It is not kept yet.
      emitted: gives the source.
      program: whose operands and results they are.
    """
    draft = _drafts.get(key)
    if draft is None:
        source = emitted()
        if not source.has_draft:
            be_calm()
            return make_callable(linked(keep(key, source.compiled())), program)
        mine, name = _Draft(source), object() if key is None else key
        with whole(), _lock:
            draft = _drafts.setdefault(name, mine)  # another thread may have made an equal program meanwhile
        if draft is mine:
            afterwards(partial(_finish, name, key))
    code = code_of(linked(draft.code), program)
    _wait(draft, code)
    return callable_of(code, program)


def wanted() -> bool:
    """Whether there may be a draft, for a thread makes the final edition."""
    return len(_drafts) < MOST_WAITING and os.environ.get("FUNCTORCH_LITE_DRAFTS") != "off"


def _wait(draft: _Draft, code: Code) -> None:
    """Have the code take the final edition, when it is there."""
    with whole(), _lock:
        if draft.final is None:
            draft.readers = [reader for reader in draft.readers if reader() is not None]
            draft.readers.append(weakref.ref(code))
            return
    code.take(linked(draft.final))


def _finish(name: Any, key: str | None) -> None:
    """Make the final edition of a draft, and have it run."""
    draft = _drafts[name]
    try:
        final = cached(key, partial(draft.source.compiled, give_way))  # another process may have made it
        with whole():
            _publish(draft, final)
    except Exception as error:
        warnings.warn(
            f"the final machine code of a program could not be made ({type(error).__name__}: {error}); its draft, which is slower, "
            "goes on. Please report this.",
            RuntimeWarning,
            stacklevel=2,
        )
    finally:
        with whole(), _lock:
            _drafts.pop(name, None)


def _publish(draft: _Draft, final: bytes) -> None:
    with _lock:
        draft.final = final
    for reader in draft.readers:
        code = reader()
        if code is not None:
            code.take(linked(final))
