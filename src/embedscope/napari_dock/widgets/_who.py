"""Who a sample is, in words, and where it stands among the others."""

from __future__ import annotations

from embedscope.samples import SampleId, Samples


def name_of(samples: Samples, identity: SampleId) -> str:
    """A sample's source, its label and, in a series, its frame, as people call it."""
    source = samples.sources.get(identity.source)
    frame = f", frame {identity.frame}" if source is not None and "t" in source.axes else ""
    return f"{identity.source} {identity.label}{frame}"


def name_of_row(samples: Samples, row: int) -> str:
    """The same of the sample in a row."""
    return name_of(samples, samples.identities[row])


def row_of(samples: Samples | None, identity: SampleId | None) -> int | None:
    """Row of a sample, or None if it is not among these."""
    if samples is None or identity is None:
        return None
    row = int(samples.identities.rows(identity.source, [identity.label], identity.frame)[0])
    return row if row >= 0 else None
