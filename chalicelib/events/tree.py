"""The rules of one event, put where their paths lead: what is judged and what is hidden is found walking down once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from chalicelib.events.paths import EACH, Path, count_shared, read_path
from chalicelib.events.rules import Condition, Pii, Rule


class Link(Struct, frozen=True):
    """A condition from one array element, or from the payload, down to the two fields that it joins."""

    condition: Condition
    # Without the steps that they share.
    if_path: Path
    then_path: Path
    # The whole path, as shown.
    target: str
    then_type: str | None
    # Whether the fields are personal data.
    is_if_hidden: bool
    is_then_hidden: bool


class Node:
    """A place in a payload: with a rule of its own or on the way to one; grown once, then only read."""

    __slots__ = ("children", "element", "has_pii", "is_hidden", "links", "name", "rule", "wanted_type")

    def __init__(self, name: str, *, is_hidden: bool = False) -> None:
        # As the sheet shows it.
        self.name = name
        self.rule: Rule | None = None
        # By folded name.
        self.children: dict[str, Node] = {}
        self.element: Node | None = None
        # What a condition wants, which makes it expected: empty for any type.
        self.wanted_type: str | None = None
        # Of the payload and of array elements.
        self.links: list[Link] = []
        # Personal data here or above.
        self.is_hidden = is_hidden
        # Personal data here or below.
        self.has_pii = False

    @property
    def pii(self) -> Pii | None:
        return self.rule.pii if self.rule else None

    @property
    def nearest(self) -> Iterator[tuple[tuple[str, ...], Node]]:
        """The steps to the rules below that no other rule is on the way to, and where they lead."""
        for name, child in self._below():
            if child.rule:
                yield (name,), child
            else:
                yield from (((name, *names), node) for names, node in child.nearest)

    @property
    def is_required(self) -> bool:
        """Whether the rules want something to be there."""
        if self.rule:
            return self.rule.required
        return any(node.is_required for _, node in self.nearest)

    @property
    def kind(self) -> str:
        """The type of what is there, by its own rule or by those below; empty where it may be anything."""
        if self.rule:
            return self.rule.type
        steps = next((names for names, _ in self.nearest), None)
        if steps is None:
            return ""
        return "array" if steps[0] == EACH else "object"

    def _below(self) -> Iterator[tuple[str, Node]]:
        for child in self.children.values():
            yield child.name, child
        if self.element:
            yield EACH, self.element


def grow(rules: Iterable[Rule]) -> Node:
    """The tree of an event's rules, which have passed their check."""
    root = Node("")
    # Shortest first, so that what is hidden is known before what is below it.
    placed = sorted(((read_path(rule.path), rule) for rule in rules), key=lambda pair: len(pair[0].keys))
    for path, rule in placed:
        node = _reach(root, path, has_pii=rule.pii is not None)
        node.rule = rule
        node.is_hidden = node.is_hidden or rule.pii is not None
    for path, rule in placed:
        if rule.condition:
            _link(root, path, rule.condition)
    return root


def _reach(root: Node, path: Path, *, has_pii: bool = False) -> Node:
    node = root
    node.has_pii |= has_pii
    for name, key in zip(path.names, path.keys, strict=True):
        if key == EACH:
            node.element = node.element or Node(name, is_hidden=node.is_hidden)
            node = node.element
        else:
            node = node.children.setdefault(key, Node(name, is_hidden=node.is_hidden))
        node.has_pii |= has_pii
    return node


def _link(root: Node, own: Path, condition: Condition) -> None:
    if_path = read_path(condition.if_field)
    then_path = own if condition.then_field is None else read_path(condition.then_field)
    target = _reach(root, then_path)
    if target.wanted_type is None:
        target.wanted_type = condition.then_type or ""
    own_type = target.rule.type if target.rule and target.rule.type != "enum" else None
    shared = count_shared(if_path.keys, then_path.keys)
    link = Link(
        condition,
        _part(if_path, shared, None),
        _part(then_path, shared, None),
        then_path.text,
        condition.then_type or own_type,
        _is_personal(root, if_path),
        target.is_hidden or target.has_pii,
    )
    _reach(root, _part(then_path, 0, shared)).links.append(link)


def _is_personal(root: Node, path: Path) -> bool:
    node: Node | None = root
    for key in path.keys:
        node = node and (node.element if key == EACH else node.children.get(key))
        if node and node.is_hidden:
            return True
    return node is not None and node.has_pii


def _part(path: Path, start: int, end: int | None) -> Path:
    return Path(path.names[start:end], path.keys[start:end])
