"""From what a terminal was told to an animated SVG that needs nothing beside itself.

The frames lie side by side in one long strip behind a window as wide as the terminal; the strip jumps by a frame at a
time. Lines that are the same in several frames are drawn once and referred to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

import pyte
from pyte.screens import Char

CELL_WIDTH, LINE_HEIGHT, FONT_SIZE = 8, 18, 13.3
MARGIN, BAR = 14, 34
FRAME_SECONDS = 0.25
LAST_SECONDS = 8.0
BACKGROUND, FOREGROUND, BAR_COLOUR, BAR_TEXT = "#16181d", "#d6d9e0", "#23262e", "#9aa0ac"
COLOURS = {
    "black": "#3b4048",
    "red": "#f07178",
    "green": "#8fce6b",
    "brown": "#e6c065",
    "blue": "#6ca8f7",
    "magenta": "#c991e8",
    "cyan": "#5cc8d7",
    "white": "#d6d9e0",
    "brightblack": "#767c88",
    "brightred": "#ff8b92",
    "brightgreen": "#a8e084",
    "brightbrown": "#f5d37d",
    "brightblue": "#8dbdff",
    "brightmagenta": "#dcaef5",
    "brightcyan": "#7fdce8",
    "brightwhite": "#ffffff",
}
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring characters of one look: ``style`` holds attributes of SVG, ``ground`` a colour or ""."""

    column: int
    width: int
    text: str
    style: str
    ground: str


Line = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A screen and when it appeared, in seconds of the picture."""

    moment: float
    lines: tuple[Line, ...]


class Screen(pyte.Screen):
    """A terminal that knows faint text, which pyte does not; blinking, which nobody uses, stands for it."""

    def select_graphic_rendition(self, *attrs: int) -> None:
        """Set the look of what comes next."""
        super().select_graphic_rendition(*_faint_as_blinking(attrs))


def _faint_as_blinking(codes: Sequence[int]) -> Iterator[int]:
    rest = iter(codes)
    for code in rest:
        yield 5 if code == 2 else code
        if code == 22:
            yield 25
        if code in (38, 48):
            # A colour of its own: here 2 and 5 say how it is written.
            kind = next(rest, 0)
            yield from (kind, *(next(rest, 0) for _ in range(3 if kind == 2 else 1)))


def screenshots(pieces: Sequence[tuple[float, str]], columns: int, rows: int, factor: float) -> list[Screenshot]:
    """Play a recording and look at the screen four times a second of the picture.

    Args:
        pieces: Text by seconds since the start.
        columns: Width of the terminal.
        rows: Its height.
        factor: How much faster the picture is.

    Returns:
        The screens that differ from the one before; at least one.
    """
    screen = Screen(columns, rows)
    stream = pyte.Stream(screen)
    found = [Screenshot(0.0, look(screen))]
    due = FRAME_SECONDS
    for moment, text in pieces:
        if moment / factor >= due:
            found.append(Screenshot(due, look(screen)))
            due = (moment / factor // FRAME_SECONDS + 1) * FRAME_SECONDS
        stream.feed(text)
    found.append(Screenshot(due, look(screen)))
    firsts = [next(same) for _, same in groupby(found, key=lambda shot: shot.lines)]
    return firsts[1:] if len(firsts) > 1 and not any(firsts[0].lines) else firsts


def look(screen: pyte.Screen) -> tuple[Line, ...]:
    """What stands on the screen now."""
    return tuple(
        tuple(_runs([screen.buffer[row][column] for column in range(screen.columns)])) for row in range(screen.lines)
    )


def _runs(cells: Sequence[Char]) -> Iterator[Run]:
    column = 0
    for (style, ground), group in groupby(cells, key=_look_of):
        run = list(group)
        text = "".join(cell.data for cell in run)
        if text.strip() or ground:
            yield Run(column, len(run), text, style, ground)
        column += len(run)


def _look_of(cell: Char) -> tuple[str, str]:
    front, back = _colour(cell.fg, FOREGROUND), _colour(cell.bg, "")
    if cell.reverse:
        front, back = back or BACKGROUND, front
    style = f' fill="{front}"' if front != FOREGROUND else ""
    style += ' font-weight="bold"' if cell.bold else ""
    style += ' font-style="italic"' if cell.italics else ""
    style += ' text-decoration="underline"' if cell.underscore else ""
    style += ' opacity=".6"' if cell.blink else ""
    return style, back


def _colour(name: str, default: str) -> str:
    return default if name == "default" else COLOURS.get(name, f"#{name}")


def animation(frames: Sequence[Screenshot], columns: int, title: str) -> str:
    """Draw the picture; where nothing moves, by choice or for lack of means, it shows the last frame.

    Args:
        frames: Screens of the same size, in order.
        columns: Width of the terminal.
        title: Line at the top.
    """
    width, height = columns * CELL_WIDTH + 2 * MARGIN, BAR + len(frames[0].lines) * LINE_HEIGHT + MARGIN
    lines = list(dict.fromkeys(line for frame in frames for line in frame.lines if line))
    ids = {line: f"l{number}" for number, line in enumerate(lines)}
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'font-family="{FONT}" font-size="{FONT_SIZE}" fill="{FOREGROUND}" role="img">\n',
            f"<title>{escape(title)}</title>\n",
            f"<style>text{{white-space:pre}}{_timeline(frames, width)}</style>\n<defs>\n",
            *(_drawn_line(ids[line], line) for line in lines),
            f'</defs>\n<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>\n',
            f'<path d="M0 8a8 8 0 0 1 8-8h{width - 16}a8 8 0 0 1 8 8v{BAR - 16}H0z" fill="{BAR_COLOUR}"/>\n',
            f'<text x="{MARGIN}" y="18" fill="{BAR_TEXT}">{escape(title)}</text>\n<g id="strip">\n',
            *(_drawn_frame(frame, number * width, ids) for number, frame in enumerate(frames)),
            "</g>\n</svg>\n",
        )
    )


def _timeline(frames: Sequence[Screenshot], width: int) -> str:
    last = f"transform:translateX(-{(len(frames) - 1) * width}px)"
    if len(frames) == 1:
        return ""
    start = frames[0].moment
    length = frames[-1].moment - start + LAST_SECONDS
    stops = "".join(
        f"{100 * (frame.moment - start) / length:.2f}%{{transform:translateX(-{number * width}px)}}"
        for number, frame in enumerate(frames)
    )
    return (
        f"#strip{{{last};animation:play {length:.2f}s step-end infinite}}"
        f"@keyframes play{{{stops}100%{{{last}}}}}"
        "@media (prefers-reduced-motion:reduce){#strip{animation:none}}"
    )


def _drawn_line(name: str, line: Line) -> str:
    grounds = "".join(
        f'<rect x="{run.column * CELL_WIDTH}" width="{run.width * CELL_WIDTH}" '
        f'height="{LINE_HEIGHT}" fill="{run.ground}"/>'
        for run in line
        if run.ground
    )
    return f'<g id="{name}">{grounds}{"".join(map(_drawn_text, line))}</g>\n'


def _drawn_text(run: Run) -> str:
    text = run.text.rstrip()
    lead = len(text) - len(text.lstrip())
    if not text.strip():
        return ""
    # The length holds the grid, whatever font is there; a cell without text belongs to a wide character before it.
    cells = run.width - (len(run.text) - len(text)) - lead
    place = f'x="{(run.column + lead) * CELL_WIDTH}" y="{LINE_HEIGHT - 5}" textLength="{cells * CELL_WIDTH}"'
    return f"<text {place}{run.style}>{escape(text.lstrip(), quote=False)}</text>"


def _drawn_frame(frame: Screenshot, left: int, ids: dict[Line, str]) -> str:
    uses = "".join(
        f'<use href="#{ids[line]}" y="{row * LINE_HEIGHT}"/>' for row, line in enumerate(frame.lines) if line
    )
    return f'<g transform="translate({left + MARGIN} {BAR})">{uses}</g>\n'
