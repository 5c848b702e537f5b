"""Hardware as lines of blackstart.yaml, as a person would write them. Knows no VM."""

from __future__ import annotations

from collections.abc import Iterator

from house.files.scalars import plain
from house.values.hardware import MADE, MODEL, Card, Hardware, Passthrough, unsaid

_PLAIN = ("cpu", "sockets", "numa", "machine", "firmware", "serial", "agent", "tpm", "efi", "pool")
_CONTROLLER = "scsi_controller"


def lines(seen: Hardware, said: Hardware, *, own_tags: frozenset[str] = frozenset(), first_storage: str = "") -> tuple[str, ...]:
    """One line for each value that a VM has and that is not said, where it is not what a VM is made with anyway.

    `own_tags` are put on every VM of ours; `first_storage` is where its UEFI variables go unsaid.
    """
    return tuple(_lines(seen, said, own_tags, first_storage))


def _lines(seen: Hardware, said: Hardware, own_tags: frozenset[str], first_storage: str) -> Iterator[str]:
    made = MADE.filled()
    for name in _PLAIN:
        value = getattr(seen, name)
        usual = first_storage if name == "efi" else getattr(made, name)
        if unsaid(getattr(said, name)) and value not in ("", usual) and (name != "serial" or value):
            yield f"{name}: {_scalar(value)}"
    if not said.scsi and seen.scsi != made.scsi:
        yield f"{_CONTROLLER}: {seen.scsi}"
    yield from _card_lines(seen.card, said.card)
    if more := [card for card in seen.cards if card.mac not in {one.mac for one in said.cards}]:
        yield f"cards: [{', '.join(_card(card) for card in (*said.cards, *more))}]"
    for name, found, known in (("pci", seen.pci, said.pci), ("usb", seen.usb, said.usb)):
        if {one.mapping for one in found} - {one.mapping for one in known}:
            yield f"{name}: [{', '.join(_passed(one, name) for one in found)}]"
    if tags := [tag for tag in seen.tags if tag not in own_tags | set(said.tags)]:
        yield f"tags: [{', '.join(map(plain, (*said.tags, *tags)))}]"
    if seen.start != said.start and said.start == (-1, -1, -1):
        words = [f"{name}: {value}" for name, value in zip(("order", "up", "down"), seen.start, strict=True) if value >= 0]
        yield f"start: {{{', '.join(words)}}}"


def _card_lines(seen: Card, said: Card) -> Iterator[str]:
    if seen.model not in ("", MODEL) and not said.model:
        yield f"card: {seen.model}"
    for name in ("vlan", "mtu"):
        if getattr(seen, name) and not getattr(said, name):
            yield f"{name}: {getattr(seen, name)}"
    if seen.firewall and said.firewall is None:
        yield "firewall: true"


def _card(card: Card) -> str:
    words = [f"bridge: {card.bridge}", f'mac: "{card.mac}"']
    words += [f"{name}: {getattr(card, name)}" for name in ("vlan", "mtu") if getattr(card, name)]
    words += [f"model: {card.model}"] if card.model not in ("", MODEL) else []
    words += ["firewall: true"] if card.firewall else []
    return f"{{{', '.join(words)}}}"


def _passed(one: Passthrough, kind: str) -> str:
    options = dict(one.options)
    words = [f"mapping: {plain(one.mapping)}"]
    if kind == "usb":
        words += ["usb3: true"] if options.get("usb3") == "1" else []
    else:
        words += ["pcie: false"] if options.get("pcie") != "1" else []
        words += ["rombar: false"] if options.get("rombar") == "0" else []
        words += ["vga: true"] if options.get("x-vga") == "1" else []
        words += [f"mdev: {plain(options['mdev'])}"] if options.get("mdev") else []
    return f"{{{', '.join(words)}}}"


def _scalar(value: object) -> str:
    return plain(value) if isinstance(value, str) else str(value).lower()
