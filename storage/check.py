"""What must hold in every store, whatever happened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .store import Store

INVARIANTS = {
    "a post without exactly one current version": (
        "select count(*) from (select id from post group by id having count(*) filter (latest) <> 1)"
    ),
    "a post whose versions do not count up": (
        "select count(*) from (select id from post group by id "
        "having max(version) <> max(version) filter (latest) or count(*) <> count(distinct version))"
    ),
    "a post without the fingerprint of its words": "select count(*) from post where fingerprint is null",
    "a disclosure without its post": (
        "select count(*) from disclosure d anti join post p on p.id = d.post and p.version = d.version"
    ),
    "a post coded twice by one coding": (
        "select count(*) from (select 1 from coded group by coding, post, version having count(*) > 1)"
    ),
    "a post coded without its coding": "select count(*) from coded c anti join coding k on k.id = c.coding",
    "a coded post that is not kept": "select count(*) from coded c anti join post p on p.id = c.post",
    "an annotation of a post that was not coded": (
        "select count(*) from annotation a anti join coded c using (coding, post, version)"
    ),
    "a cursor that stands twice": (
        'select count(*) from (select 1 from cursor group by "case", source having count(*) > 1)'
    ),
    "a label that stands twice": (
        'select count(*) from (select 1 from label group by "case", thread, digest having count(*) > 1)'
    ),
}


def faults(store: Store) -> dict[str, int]:
    """What is wrong in the store, and how often; empty when all is well."""
    with store.transaction() as db:
        counts = {what: int(db.execute(sql).fetchall()[0][0]) for what, sql in INVARIANTS.items()}
    return {what: n for what, n in counts.items() if n}
