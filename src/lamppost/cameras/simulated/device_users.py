"""The users of the simulated camera: who there is, at which level, and what each level may do (Core Specification, section 5.9)."""

from __future__ import annotations

from typing import Final

from lamppost.cameras.simulated.machine import Call, Operation
from lamppost.cameras.simulated.markup import Markup, join, tag
from lamppost.cameras.simulated.nodes import Node
from lamppost.cameras.simulated.soap import SoapRefusal, invalid, required
from lamppost.cameras.simulated.state import ADMINISTRATOR

MOST_USERS: Final = 10
MOST_NAME: Final = 32
MOST_PASSWORD: Final = 64
_LEAST_PASSWORD: Final = 8
_OPERATOR: Final = "Operator"
_LEVELS: Final = (ADMINISTRATOR, _OPERATOR, "User")
_CHANGES: Final = ("Set", "Create", "Delete", "Remove", "Add", "Modify", "System")
_ACTS: Final = (*_CHANGES, "Absolute", "Relative", "Continuous", "Goto", "Stop")


def is_allowed(level: str, prefix: str, name: str) -> bool:
    """Whether a user of `level` may call an operation, by the default access policy: who looks may not act, nor may who acts set up."""
    if level == ADMINISTRATOR or prefix in ("tev", "wsnt") or name == "SetSynchronizationPoint":
        return True
    if prefix == "tds" and name != "SetRelayOutputState":
        return name != "GetUsers" and not name.startswith(_CHANGES)
    return level == _OPERATOR or not name.startswith(_ACTS)


def _prohibited(subcode: str, reason: str, *, code: str = "Sender") -> SoapRefusal:
    return SoapRefusal(code, ("ter:OperationProhibited", subcode), reason)


def _users(call: Call) -> Markup:
    state = call.state
    return join(*(tag("tds:User", tag("tt:Username", name), tag("tt:UserLevel", state.level_of(name))) for name in state.users))


def _password(user: Node) -> str:
    given = user.value("Password")
    if len(given) > MOST_PASSWORD:
        raise _prohibited("ter:PasswordTooLong", f"a password has {MOST_PASSWORD} characters at most")
    if len(given) < _LEAST_PASSWORD:
        raise _prohibited("ter:PasswordTooWeak", f"a password has {_LEAST_PASSWORD} characters at least")
    return given


def _level(user: Node) -> str:
    level = required(user, "UserLevel")
    if level == "Anonymous":
        raise _prohibited("ter:AnonymousNotAllowed", "nobody is let in without a name")
    if level not in _LEVELS:
        raise invalid("ter:InvalidArgVal", f"a user is {', '.join(_LEVELS)}")
    return level


def _create_users(call: Call) -> Markup:
    state, wanted = call.state, {required(user, "Username"): (_password(user), _level(user)) for user in call.body.each("User")}
    if any(name in state.users for name in wanted):
        raise _prohibited("ter:UsernameClash", "that name is taken")
    if any(len(name) > MOST_NAME for name in wanted):
        raise _prohibited("ter:UsernameTooLong", f"a name has {MOST_NAME} characters at most")
    if not all(wanted):
        raise _prohibited("ter:UsernameTooShort", "a user has a name")
    if len(state.users) + len(wanted) > MOST_USERS:
        raise _prohibited("ter:TooManyUsers", "there are too many users", code="Receiver")
    for name, (password, level) in wanted.items():
        state.users[name], state.levels[name] = password, level
    return Markup()


def _set_user(call: Call) -> Markup:
    """Change passwords and levels; what is left out stays."""
    state = call.state
    users = {required(user, "Username"): user for user in call.body.each("User")}
    _must_exist(call, tuple(users))
    passwords = {name: _password(user) for name, user in users.items() if user.first("Password") is not None}
    levels = {name: _level(user) for name, user in users.items() if user.first("UserLevel") is not None}
    _must_have_administrator({name: levels.get(name, state.level_of(name)) for name in state.users})
    state.users.update(passwords)
    state.levels.update(levels)
    return Markup()


def _delete_users(call: Call) -> Markup:
    state = call.state
    names = tuple(node.text.strip() for node in call.body.own("Username"))
    _must_exist(call, names)
    _must_have_administrator({name: state.level_of(name) for name in state.users if name not in names})
    for name in names:
        state.users.pop(name, None)
        state.levels.pop(name, None)
    return Markup()


def _must_exist(call: Call, names: tuple[str, ...]) -> None:
    if not names or any(name not in call.state.users for name in names):
        raise invalid("ter:UsernameMissing", "there is no such user")


def _must_have_administrator(levels: dict[str, str]) -> None:
    """Nobody locks everybody out: one administrator is left, always."""
    if ADMINISTRATOR not in levels.values():
        raise invalid("ter:FixedUser", "the last administrator stays")


OPERATIONS: Final[dict[str, Operation]] = {
    "GetUsers": _users,
    "CreateUsers": _create_users,
    "SetUser": _set_user,
    "DeleteUsers": _delete_users,
}
