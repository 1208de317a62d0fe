"""`veldwerk serve`."""

from __future__ import annotations

import click


@click.command(help="Run the four cases as scheduled Prefect deployments.")
@click.option("--port", default=4200, show_default=True, help="Where the Prefect server listens, on this machine only.")
@click.option("--plan", is_flag=True, help="Only print what would run when.")
def command(port: int, plan: bool) -> None:
    from flows.home import Home
    from flows.prefect_home import prepare

    home = Home.open()
    prepare(home.root)
    for case in home.cases.values():
        for source in case.sources:
            if source.schedule:
                click.echo(f"{source.schedule:<14} collect {case.id} {source.name}")
    from flows.deployments import NIGHTLY, serve

    for name, cron in NIGHTLY.items():
        click.echo(f"{cron:<14} {name}")
    if not plan:
        click.echo(f"Prefect at http://127.0.0.1:{port} (stop with Ctrl-C)", err=True)
        serve(home, port)
