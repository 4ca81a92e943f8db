"""What the editor is told about a path: what the checks found, in plain words and where on the way it is."""

from pipelines.cameras import checks
from studio.state import FPS, drawn_path
from studio.words import Refusal, explain, say

FAST = ("turns", "travels")  # one thing to whoever looks at it
AT_ONCE = ("fast", "lens")  # kinds that need no look at the place
SIZE = (288, 512)  # of the cameras that are looked at: speed and lens have none


def findings(found: list[checks.Finding], language: str) -> list[dict]:
    """{level, kind, words, spans, repair, label} for every kind and repair; spans: [first, last] seconds of each run.

    repair and label are left out where nothing can be mended.
    """
    kinds: dict[tuple, list[checks.Finding]] = {}
    for finding in found:
        kinds.setdefault(("fast" if finding.kind in FAST else finding.kind, finding.repair), []).append(finding)
    out = []
    for (kind, repair), group in kinds.items():
        spans = [[first / FPS, last / FPS] for first, last in _joined(finding.frames for finding in group)]
        figures = {"begin": spans[0][0], "end": spans[-1][1], "percent": round(100 * min(x.value for x in group))}
        out.append({"level": "warn", "kind": kind, "words": say(language, f"found_{kind}", **figures), "spans": spans})
        if repair is not None:
            out[-1] |= {"repair": repair, "label": say(language, f"repair_{repair}")}
    return out


def _joined(runs) -> list[tuple[int, int]]:
    """Runs of frames that overlap or touch become one."""
    out: list[tuple[int, int]] = []
    for first, last in sorted(runs):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return out


def hear(asked: dict) -> dict:
    """Called by the page as soon as a hand lets go, beside the event `edited`, which takes its turn at the engine.

    asked: {path: JSON text, distance: of the subject in scene units, language}. Gives {kinds, findings}, all that can
    be said without a look at the place, or {notice}: why the path cannot be used.
    """
    language = asked.get("language") if isinstance(asked, dict) else "en"
    try:
        path = drawn_path(asked["path"])
        found = checks.check_path(path.trajectory(*SIZE, FPS), asked["distance"], path=path)
    except Refusal as refusal:
        return {"notice": explain(language, refusal)}
    except (KeyError, TypeError, ValueError):  # no question of this page
        return {}
    return {"kinds": AT_ONCE, "findings": findings(found, language)}
