"""mra-bench clean"""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from mra_bench.cli.options import json_option


@click.command(epilog="Example: mra-bench clean reports/quickstart --dry-run")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--graders", is_flag=True, help="Remove also the verdicts that `mra-bench grade` has added.")
@json_option
def command(run: Path, dry_run: bool, graders: bool, as_json: bool) -> None:
    """Remove the stage folders of RUN that its current results do not come from (left by an earlier recipe).

    Reports of earlier recipes, kept in RUN/earlier, stay. So do, without --graders, verdicts that `mra-bench grade` has
    added to texts which are in use.
    """
    from mra_bench.cli.listing import show_json
    from mra_bench.costs import size
    from mra_bench.folder import manifest_of
    from mra_bench.store import locked
    from mra_bench.stored import added_folders
    from mra_bench.work import FOLDERS

    manifest_of(run)  # before the lock, which is a file in the folder
    with locked(run):
        used = set(manifest_of(run)["folders"])
        added = [] if graders else added_folders(run, sorted(used))
        used.update(added)
        found = [p for kind in FOLDERS.values() for p in sorted((run / kind).glob("*")) if p.is_dir()]
        unused = [p for p in found if p.relative_to(run).as_posix() not in used]
        freed = sum(f.stat().st_size for p in unused for f in p.rglob("*") if f.is_file())
        for path in unused:
            if not as_json:
                click.echo(f"{'would remove' if dry_run else 'removed'} {path.relative_to(run)}")
            if not dry_run:
                shutil.rmtree(path)
    if as_json:
        names = [path.relative_to(run).as_posix() for path in unused]
        show_json({"dry_run": dry_run, "folders": names, "bytes": freed, "kept": added})
    elif unused:
        click.echo(f"{len(unused)} folder{'s' if len(unused) > 1 else ''}, {size(freed)}")
    else:
        click.echo(f"Nothing to remove: every stage folder of {run} is in use.")
    if added and not as_json:
        click.echo(f"Kept, added by `mra-bench grade`: {', '.join(added)} (--graders removes them)")
