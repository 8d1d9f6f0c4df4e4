"""Who may sign in comes back from a backup with passwords, codes and tokens, and nobody is signed in by it."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from pyotp.totp import TOTP

from backup_members import members, rewrite, scribbled
from lamppost.access.desk import CodeNeeded, Desk, LinkKind, NewSession, SignInRefused
from lamppost.access.passwords import Passwords
from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.durable import write_durable
from lamppost.base.errors import StoreError
from lamppost.model.access import Grant, Role, Scope
from lamppost.model.books import Act
from lamppost.model.layout import DataFolder
from lamppost.store import backup as backup_module
from lamppost.store.access_tables import METADATA, VERSION
from lamppost.store.backup import create_backup
from lamppost.store.backup_file import ACCESS, ACCESS_KEY
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.journal import JournalWriter
from lamppost.store.restore import Restored, restore_backup
from lamppost.store.users_backup import ENDED, UsersRestored

PASSWORD = "seven quiet lanterns"
PASSWORDS = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
ADDRESS = "192.0.2.1"


def open_desk(folder: DataFolder, clock: ManualClock) -> Desk:
    return Desk(folder, clock, passwords=PASSWORDS)


class Node:
    """A data folder that something is in the index of, with a desk where `anna` has a password, codes and a token."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder, self.clock = root, DataFolder(root / "data"), ManualClock()
        self.config = root / "lamppost.toml"
        self.config.write_bytes(b"# ours\n")
        self.backups = root / "backups"
        self.backups.mkdir()
        self.folder.keys.mkdir(parents=True)
        for name in ("recorder.key", "recorder.pub"):
            write_durable(self.folder.keys / name, f"{name}\n".encode())
        with JournalWriter(self.folder.journal / "supervisor", clock=self.clock) as journal:
            journal.append(Act("a1", "started", self.clock.wall_us(), "lamppost serve", "node", "{}"))
        with Bookkeeper(self.folder, self.clock) as bookkeeper:
            bookkeeper.apply_new()
        self.desk = open_desk(self.folder, self.clock)

    def set_up(self) -> NewSession:
        anna = self.desk.use_link(self.desk.setup_link() or "", name="anna", password=PASSWORD)
        self.secret = self.desk.offer_codes(anna.signed_in, "").pairing.secret
        self.desk.turn_on_codes(anna.signed_in, self.code(), address="192.0.2.1")
        _, self.token = self.desk.make_token(anna.signed_in, "counts", (Grant(Role.ADMINISTRATOR, Scope("*")),), 30)
        self.desk.book.put_preferences(anna.signed_in.user_id, '{"theme": "dark"}')
        return anna

    def code(self) -> str:
        return TOTP(self.secret).at(self.clock.wall_us() // US_PER_S)

    def add(self, name: str) -> str:
        """Somebody more; the word of their invitation."""
        return self.desk.invite(self.desk.new_user(name, "", [Grant(Role.VIEWER, Scope("*"))]))

    def names(self) -> list[str]:
        return [user.name for user in self.desk.book.users()]

    def back_up(self, *, with_access: bool = True) -> Path:
        self.clock.advance(60)
        made = create_backup(self.folder, self.backups, clock=self.clock, version="0.1.0", config=self.config, with_access=with_access)
        return made.path

    def restore(self, backup: Path, *, force: bool = False, configuration: bytes | None = None) -> Restored:
        self.desk.close()
        self.clock.advance(60)
        try:
            return restore_backup(self.folder, backup, clock=self.clock, force=force, configuration=configuration)
        finally:
            self.desk = open_desk(self.folder, self.clock)

    def lose_index(self) -> None:
        for path in self.folder.index.parent.glob("index.db*"):
            path.unlink()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    yield made
    made.desk.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def written_out(folder: DataFolder) -> bytes:
    """The access database as one file, without its log; nobody has it open."""
    with closing(sqlite3.connect(folder.access)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder.access.read_bytes()


def changed(database: bytes, statement: str, folder: Path) -> bytes:
    path = folder / "changed.db"
    path.write_bytes(database)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    return path.read_bytes()


# There and back


def test_on_a_new_machine_everybody_signs_in_as_before_and_nobody_is_signed_in(node: Node, tmp_path: Path) -> None:
    anna = node.set_up()
    invitation = node.add("ben")
    sign_in_link = node.desk.make_link(node.desk.book.users()[0], LinkKind.SIGN_IN)
    backup = node.back_up()  # while the desk is open
    assert node.desk.of_session(anna.cookie) is not None

    new = DataFolder(tmp_path / "new")
    restored = restore_backup(new, backup, clock=node.clock, force=False)
    assert (restored.users, restored.user_count, restored.users_set_aside) == (UsersRestored.PUT_BACK, 2, "")
    assert (mode(new.access.parent), mode(new.access), mode(new.keys / "access.key")) == (0o700, 0o600, 0o600)
    with closing(open_desk(new, node.clock)) as desk:
        assert desk.of_session(anna.cookie) is None
        for word in (invitation, sign_in_link):
            with pytest.raises(SignInRefused):
                desk.use_link(word, password=PASSWORD)
        with pytest.raises(CodeNeeded):
            desk.sign_in("anna", PASSWORD, None, address=ADDRESS)
        signed_in = desk.sign_in("anna", PASSWORD, node.code(), address=ADDRESS).signed_in
        assert signed_in.grants == (Grant(Role.ADMINISTRATOR, Scope("*")),)
        by_token = desk.of_token(node.token)
        assert by_token is not None
        assert (by_token.name, by_token.grants) == ("anna", signed_in.grants)
        assert desk.book.preferences(signed_in.user_id) == '{"theme": "dark"}'


def test_a_copy_is_whole_while_others_write(node: Node) -> None:
    """Somebody and what they may are one transaction: no copy has the one without the other."""
    node.set_up()
    is_over = threading.Event()

    def write() -> None:
        for number in range(2000):
            if is_over.is_set():
                break
            node.add(f"user-{number}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backups = [node.back_up() for _ in range(4)]
    finally:
        is_over.set()
        writer.join()
    for number, backup in enumerate(backups):
        copy = DataFolder(node.root / f"copy-{number}")
        count = restore_backup(copy, backup, clock=node.clock, force=False).user_count
        with closing(open_desk(copy, node.clock)) as desk:
            users = desk.book.users()
        assert len(users) == count
        assert all(user.grants for user in users)


def test_what_is_over_is_not_in_it(node: Node) -> None:
    anna = node.set_up()
    gone = node.desk.new_user("gone", "", [], password_hash=PASSWORDS.make(PASSWORD))
    node.desk.book.add_user(gone)
    with closing(sqlite3.connect(node.folder.access)) as connection, connection:
        connection.execute("PRAGMA secure_delete = OFF")  # some builds of SQLite overwrite by themselves
        connection.execute("DELETE FROM users WHERE user_id = ?", (gone.user_id,))
    content = members(node.back_up())[ACCESS]
    assert anna.signed_in.user_id.encode() in content
    for secret in (gone.password_hash or "", anna.signed_in.csrf, anna.signed_in.session_id or "", node.secret):
        assert secret.encode() not in content


def test_of_every_table_it_is_decided_whether_it_comes_back() -> None:
    ended = {statement.removeprefix("DELETE FROM ") for statement in ENDED}
    assert set(METADATA.tables) - ended == {"users", "grants", "tokens", "preferences"}


def test_sessions_in_a_backup_are_void_all_the_same(node: Node) -> None:
    anna = node.set_up()
    word = node.add("ben")
    backup = node.back_up()
    node.desk.close()
    whole = rewrite(backup, lambda found: found.update({ACCESS: written_out(node.folder)}))
    assert (anna.signed_in.session_id or "").encode() in members(whole)[ACCESS]
    node.restore(whole, force=True)
    assert node.desk.of_session(anna.cookie) is None
    with pytest.raises(SignInRefused):
        node.desk.use_link(word, password=PASSWORD)


def test_stock_tools_put_users_back(node: Node) -> None:
    node.set_up()
    backup = node.back_up()
    node.desk.close()
    for path in node.folder.access.parent.iterdir():
        path.unlink()
    subprocess.run(["tar", "xf", backup, "-C", node.folder.root, ACCESS, ACCESS_KEY], check=True, timeout=60)
    node.desk = open_desk(node.folder, node.clock)
    assert node.desk.sign_in("anna", PASSWORD, node.code(), address=ADDRESS).signed_in.name == "anna"


# What is there already


def test_users_who_can_be_read_stay_unless_forced(node: Node) -> None:
    """A restore because of the index lets in nobody who was removed since."""
    anna = node.set_up()
    node.add("ben")
    backup = node.back_up()
    node.desk.book.remove_user(next(user.user_id for user in node.desk.book.users() if user.name == "ben"))
    node.lose_index()
    assert node.restore(backup).users is UsersRestored.LEFT
    assert node.names() == ["anna"]
    assert node.desk.of_session(anna.cookie) is not None
    restored = node.restore(backup, force=True)
    assert restored.users is UsersRestored.PUT_BACK
    assert node.names() == ["anna", "ben"]
    assert node.desk.of_session(anna.cookie) is None
    kept = node.folder.access.with_name(f"access.db{restored.users_set_aside}")
    assert mode(kept) == 0o600
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT name FROM users").fetchall() == [("anna",)]


def test_the_key_of_users_who_stay_comes_back(node: Node) -> None:
    node.set_up()
    backup = node.back_up()
    (node.folder.keys / "access.key").unlink()
    node.lose_index()
    assert node.restore(backup).users is UsersRestored.LEFT
    assert mode(node.folder.keys / "access.key") == 0o600
    assert node.desk.sign_in("anna", PASSWORD, node.code(), address=ADDRESS).signed_in.name == "anna"


@pytest.mark.parametrize("loss", ["damaged", "nobody", "gone"])
def test_what_lets_in_nobody_is_replaced_without_asking_and_kept(node: Node, loss: str) -> None:
    node.set_up()
    backup = node.back_up()
    node.desk.close()
    before = written_out(node.folder)
    if loss == "damaged":
        node.folder.access.write_bytes(scribbled(before))
    else:
        for path in node.folder.access.parent.iterdir():
            path.unlink()
        if loss == "nobody":
            (node.folder.keys / "access.key").unlink()
            open_desk(node.folder, node.clock).close()  # with a key of its own
    node.lose_index()
    restored = node.restore(backup)
    assert restored.users is UsersRestored.PUT_BACK
    assert bool(restored.users_set_aside) is (loss != "gone")
    assert len(list(node.folder.keys.glob("access.key.replaced-*"))) == (loss == "nobody")
    assert node.desk.sign_in("anna", PASSWORD, node.code(), address=ADDRESS).signed_in.name == "anna"


def test_a_backup_without_users_leaves_them_as_they_are(node: Node) -> None:
    """As older versions made it, and as `lamppost upgrade` still does."""
    anna = node.set_up()
    backup = node.back_up(with_access=False)
    assert not {ACCESS, ACCESS_KEY} & set(members(backup))
    assert node.restore(backup, force=True).users is UsersRestored.ABSENT
    assert node.desk.of_session(anna.cookie) is not None


def test_where_nobody_is_set_up_there_is_nothing_to_put_back(node: Node) -> None:
    assert node.desk.setup_link()
    backup = node.back_up()
    assert not {ACCESS, ACCESS_KEY} & set(members(backup))
    assert node.restore(backup, force=True).users is UsersRestored.ABSENT
    node.desk.close()
    node.folder.access.write_bytes(b"")  # made, and cut off before its tables were
    assert ACCESS not in members(node.back_up())


class CutOff(BaseException):
    """The process ends here."""


def test_cut_off_anywhere_a_database_has_its_own_key_and_the_next_run_ends_it(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is another one: it has users, and a key, of its own."""
    node.set_up()
    backup = node.back_up()
    other = Node(_made(node.root / "other"))
    other.set_up()
    other.desk.close()
    whose = {(each.folder.keys / "access.key").read_bytes(): each for each in (node, other)}
    rename, steps, is_done = Path.rename, 0, False
    while not is_done:
        folder = DataFolder(shutil.copytree(other.folder.root, node.root / f"cut-{steps}"))
        left = steps

        def cut(path: Path, target: Path) -> Path:
            nonlocal left
            if not left:
                raise CutOff
            left -= 1
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", cut)
        try:
            restore_backup(folder, backup, clock=node.clock, force=True)
            is_done = True
        except CutOff:
            pass
        monkeypatch.setattr(Path, "rename", rename)
        if folder.access.is_file():
            assert_in(whose[(folder.keys / "access.key").read_bytes()], folder)
        restore_backup(folder, backup, clock=node.clock, force=True)
        assert_in(node, folder)
        steps += 1
    assert steps > 6


def _made(path: Path) -> Path:
    path.mkdir()
    return path


def assert_in(whose: Node, folder: DataFolder) -> None:
    """Who is set up in `whose` signs in at `folder`, with a code."""
    whose.clock.advance(60)
    with closing(open_desk(folder, whose.clock)) as desk:
        assert desk.sign_in("anna", PASSWORD, whose.code(), address=ADDRESS).signed_in.name == "anna"


# What is refused


def test_damaged_users_and_users_without_their_key_are_not_backed_up(node: Node) -> None:
    node.set_up()
    sound = node.back_up()
    key = (node.folder.keys / "access.key").read_bytes()
    (node.folder.keys / "access.key").unlink()
    with pytest.raises(StoreError, match=r"access\.key is missing"):
        node.back_up()
    write_durable(node.folder.keys / "access.key", key, 0o600)
    node.desk.close()
    node.folder.access.write_bytes(scribbled(written_out(node.folder)))
    with pytest.raises(StoreError, match="access database") as caught:
        node.back_up()
    assert "\n" not in str(caught.value)
    assert list(node.backups.iterdir()) == [sound]


@dataclass(frozen=True)
class Refused:
    """A backup that must not be restored, and why."""

    change: Callable[[dict[str, bytes], Path], object]
    why: str


@pytest.mark.parametrize(
    "case",
    [
        Refused(lambda found, _: found.pop(ACCESS), "holds no access/access.db"),
        Refused(lambda found, _: found.pop(ACCESS_KEY), "holds no keys/access.key"),
        Refused(lambda found, _: found.update({ACCESS: scribbled(found[ACCESS])}), "access database in .* is damaged"),
        Refused(lambda found, _: found.update({ACCESS: b"no database" * 500}), "access database in .* is damaged"),
        Refused(
            lambda found, place: found.update({ACCESS: changed(found[ACCESS], f"PRAGMA user_version = {VERSION + 1}", place)}),
            "newer version",
        ),
        Refused(lambda found, place: found.update({ACCESS: changed(found[ACCESS], "DROP TABLE links", place)}), "damaged"),
    ],
    ids=["no database", "no key", "scribbled", "no SQLite", "newer", "no table"],
)
def test_a_backup_whose_users_cannot_be_used_is_refused_with_nothing_touched(node: Node, tmp_path: Path, case: Refused) -> None:
    anna = node.set_up()
    backup = rewrite(node.back_up(), lambda found: case.change(found, tmp_path))
    index, key = node.folder.index.read_bytes(), (node.folder.keys / "access.key").read_bytes()
    with pytest.raises(StoreError, match=case.why) as caught:
        node.restore(backup, force=True)
    assert "nothing was changed" in str(caught.value)
    assert (node.folder.index.read_bytes(), (node.folder.keys / "access.key").read_bytes()) == (index, key)
    assert node.desk.of_session(anna.cookie) is not None
    assert not list(node.folder.root.rglob("*.replaced-*"))


def test_users_that_were_taken_out_are_missed(node: Node, tmp_path: Path) -> None:
    node.set_up()
    backup = node.back_up()
    with tarfile.open(backup) as archive, tarfile.open(tmp_path / "less.tar", "w") as less:
        for member in archive:
            if member.name not in (ACCESS, ACCESS_KEY):
                less.addfile(member, archive.extractfile(member))
    with pytest.raises(StoreError, match="a hash differs"):
        node.restore(tmp_path / "less.tar", force=True)


# Passwords of cameras


def name_password(node: Node, camera: str, content: str) -> Path:
    """A password as the server keeps it, named by the configuration."""
    node.folder.camera_passwords.mkdir(exist_ok=True)
    path = node.folder.camera_passwords / f"{camera}.0123abcd.password"
    write_durable(path, f"{content}\n".encode(), 0o600)
    node.config.write_text(f'[[camera]]\nname = "{camera}"\npassword_file = "{path}"\n')
    return path


def test_passwords_that_the_configuration_names_come_back(node: Node, tmp_path: Path) -> None:
    old = name_password(node, "bridge", "before")
    path = name_password(node, "plaza", "open sesame")
    backup = node.back_up()
    assert [name for name in members(backup) if name.startswith("keys/cameras/")] == [node.folder.relative(path)]
    new = DataFolder(tmp_path / "new")
    assert restore_backup(new, backup, clock=node.clock, force=False).passwords == 1
    put_back = new.root / node.folder.relative(path)
    assert (put_back.read_text(), mode(put_back), mode(put_back.parent)) == ("open sesame\n", 0o600, 0o700)
    # Where there is a configuration that names another one by now, an old password does not come back.
    path.unlink()
    assert node.restore(backup, force=True, configuration=b"# no camera").passwords == 0
    assert not path.exists()
    assert old.exists()
    assert not {name for name in members(node.back_up(with_access=False)) if name.startswith("keys/cameras/")}


def test_a_password_that_is_changed_meanwhile_is_the_one_that_the_configuration_names(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    before = name_password(node, "plaza", "before")
    read = backup_module._read_passwords
    changes = [("bridge", "after")]

    def change_meanwhile(folder: DataFolder, configuration: bytes) -> Any:
        if changes:
            name_password(node, *changes.pop())
            before.unlink()
        return read(folder, configuration)

    monkeypatch.setattr(backup_module, "_read_passwords", change_meanwhile)
    found = members(node.back_up())
    (password,) = [name for name in found if name.startswith("keys/cameras/")]
    assert Path(password).name.encode() in found["configuration/lamppost.toml"]
    assert found[password] == b"after\n"
