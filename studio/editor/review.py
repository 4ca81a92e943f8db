"""What the checks found on a path, in the words of the page and with the seconds where it is."""

from pipelines.cameras import checks
from pipelines.cameras.trajectory import NATIVE_FPS
from studio.drawn import drawn_path
from studio.words import Refusal, explain, say

FAST = ("turns", "travels")  # the page calls both "fast"
AT_ONCE = ("fast", "lens")  # kinds that need neither depth nor coverage
SIZE = (288, 512)  # any will do: speed and lens do not depend on it


def findings(found: list[checks.Finding], language: str) -> list[dict]:
    """One entry for every kind of finding and its repair: {level, kind, words, spans, repair, label}.

    words, label: in `language`, "en" or "it". spans: [first, last] seconds of each run of frames. repair and label are
    left out where there is no repair.
    """
    kinds: dict[tuple, list[checks.Finding]] = {}
    for finding in found:
        kinds.setdefault(("fast" if finding.kind in FAST else finding.kind, finding.repair), []).append(finding)
    out = []
    for (kind, repair), group in kinds.items():
        runs = _joined(finding.frames for finding in group)
        spans = [[first / NATIVE_FPS, last / NATIVE_FPS] for first, last in runs]
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


def quick_check(request: dict) -> dict:
    """What can be found without the photo's depth; the browser calls it after every edit, without waiting for its turn
    at the engine as the event `edited` does.

    request: {path: JSON text, distance: of the subject in scene units, language}. Returns {kinds, findings}: the kinds
    that were looked for, and `findings`; or {notice}: why the path cannot be used; or {} for a malformed request.
    """
    language = request.get("language") if isinstance(request, dict) else "en"
    try:
        path = drawn_path(request["path"])
        found = checks.check_path(path.trajectory(*SIZE), request["distance"], path=path)
    except Refusal as refusal:
        return {"notice": explain(language, refusal)}
    except (KeyError, TypeError, ValueError):  # not a request of this page
        return {}
    return {"kinds": AT_ONCE, "findings": findings(found, language)}
