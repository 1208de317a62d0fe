"""`veldwerk cases`."""

from __future__ import annotations

import json

import click


@click.command(help="List the cases: sources, legal basis, retention, and what is stored.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> None:
    from flows.home import Home

    home = Home.open()
    # Looking at the cases makes neither a key nor a store.
    kept = home.store.count if home.has_store else lambda case: 0
    told: list[dict[str, object]] = [
        {
            "id": case.id,
            "title": case.title.model_dump(),
            "question": case.question,
            "sources": [
                {"name": s.name, "collector": s.collector, "private": s.private, "schedule": s.schedule}
                for s in case.sources
            ],
            "legal_basis": case.policy.legal_basis and case.policy.legal_basis.model_dump(),
            "ethics_approval": case.policy.ethics_approval and case.policy.ethics_approval.reference,
            "retention": case.policy.retention.model_dump(),
            "redaction": case.policy.redaction,
            "stored": kept(case.id),
        }
        for case in home.cases.values()
    ]
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for case in told:
        click.echo(_page(case))


def _page(case: dict[str, object]) -> str:
    title, basis, retention = case["title"], case["legal_basis"], case["retention"]
    assert isinstance(title, dict)
    assert isinstance(retention, dict)
    assert isinstance(case["sources"], list)
    lines = [f"{case['id']}  {title['nl']} / {title['en']}", f"  stored     {case['stored']:,} posts"]
    lines += [
        f"  source     {s['name']} ({s['collector']}{', private' if s['private'] else ''})" for s in case["sources"]
    ]
    lines += [f"  basis      {basis['personal_data'] if isinstance(basis, dict) else 'none: nothing may be collected'}"]
    lines += [f"  approval   {case['ethics_approval'] or 'none: nothing may be collected'}"]
    kept = ", ".join(f"{p} {d} days" for p, d in retention["platforms"].items())
    lines += [f"  retention  {retention['days']} days{f' ({kept})' if kept else ''}", ""]
    return "\n".join(lines)
