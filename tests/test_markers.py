"""`UNSET`: nothing was said."""

from __future__ import annotations

import copy
import pickle

from stubwire import UNSET, Unset


def test_unset_reads_as_it_is_written_and_is_false() -> None:
    """It is one object, also after a copy or a pickle."""
    assert repr(UNSET) == "UNSET"
    assert not UNSET
    assert isinstance(UNSET, Unset)
    assert copy.deepcopy(UNSET) is UNSET
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET
