"""Find the row of a sample by its identity."""

from __future__ import annotations

from embedscope.samples import SampleId, Samples


def row_of(samples: Samples | None, identity: SampleId | None) -> int | None:
    """Row of a sample, or None if it is not among `samples`."""
    if samples is None or identity is None:
        return None
    row = int(samples.identities.rows(identity.source, [identity.label], identity.frame)[0])
    return row if row >= 0 else None
