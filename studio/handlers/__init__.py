"""One plain function per event of the page. Each takes what the widgets hold and tells what they should show.

Handlers answer with {name of a widget: new value or update}; `layout` maps the names. Whatever arrives is checked
here or in `state`: any visitor can send any payload to any event.
"""

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path

import gradio as gr
import numpy as np

from pipelines.cameras import Camera, checks, repairs
from pipelines.cameras.path import Path as CameraPath
from pipelines.events import ChunkEvent, DoneEvent, StepEvent
from pipelines.media.clips import write_mp4, write_poster
from pipelines.media.photos import focal_pixels, open_photo, read_focal
from studio import media
from studio.download import report_of, sheet, write_clip
from studio.editor import words
from studio.editor.opening import FIXES, opened
from studio.editor.place import describe
from studio.editor.review import findings
from studio.handlers.answers import Answer, explains, idle, in_turn, looks, refuse_while_busy, sentence, stage, turn
from studio.settings import EMBEDDED
from studio.state import (
    DRAWN,
    FPS,
    Order,
    Pace,
    Session,
    Take,
    calm_seconds,
    clip_size,
    directions,
    drawn_path,
    large_size,
    one_of,
    presets,
    with_lens,
)
from studio.words import Refusal, duration, say
from studio.workbench import Engine

pace = Pace()

LOW_COVERAGE = 0.8
MUCH_TORN = 0.035  # of a frame, what opens between near and far: above it outlines look torn
ALL_BACKED = 0.995  # of every frame: what is missing then are cracks that nobody sees
PREVIEW_FRAMES = 33
DRAWN_FRAMES = 25  # of a drawn path: who draws looks again and again, and sees it smooth in the editor
MIN_PARTIAL = 1.0  # seconds: a stopped clip that is shorter is not worth keeping
STOP_SECONDS = 30
KEPT_LIFTS = 3  # of one crop: whole, and as close as moves want it


# -- small pieces ---------------------------------------------------------------------------------------------------


def meter(session: Session, language: str) -> Answer:
    """The photo-backed strip and its plain words, for the last preview or the finished clip."""
    if session.coverage is None:
        return {"strip": "", "advice": "", "shorter": gr.update(visible=False)}
    low, mean = float(session.coverage.min()), float(session.coverage.mean())
    is_clip = session.shown["kind"] == "clip"
    if low >= ALL_BACKED:
        words = say(language, "backed_all")
    else:
        told = {"percent": int(100 * low), "mean": int(100 * mean)}  # 99.9 is not all
        words = say(language, "backed_clip" if is_clip else "backed_preview", **told)
        words += "" if is_clip else " " + say(language, "hatch")
    if session.zoom > 1 and not is_clip:
        words += " " + say(language, "closer", percent=round(100 * session.zoom - 100))
    legend = (
        f'<p class="legend"><i class="key-backed"></i>{escape(say(language, "backed"))}'
        f'<i class="key-invented"></i>{escape(say(language, "invented"))}</p>'
    )
    strip = f'<div class="meter">{media.strip_svg(session.coverage, words)}{legend}<p>{escape(words)}</p></div>'
    warnings = []
    if low < LOW_COVERAGE and not is_clip:
        warnings.append(say(language, "low_coverage"))
    elif session.torn > MUCH_TORN and not is_clip:
        warnings.append(say(language, "torn"))
    if session.calm_seconds and not is_clip:
        warnings.append(say(language, "too_fast", seconds=session.calm_seconds))
    return {
        "strip": strip,
        "advice": "".join(f'<p class="warning">{escape(line)}</p>' for line in warnings),
        "shorter": gr.update(
            visible=(low < LOW_COVERAGE or session.torn > MUCH_TORN) and not is_clip and not session.drawn
        ),
    }


def lift(pipe, session: Session, order: Order, height: int, width: int):
    """The photo, cropped to (height, width), seen in 3D; remembered while photo, crop and depth estimator stay.

    pipe: with the order's depth.
    """
    crop = order.ratio, order.focus, height, width, order.depth
    if session.lifted_crop != crop:
        session.lifts, session.lifted_crop = {}, crop
    if order.zoom not in session.lifts:
        if len(session.lifts) == KEPT_LIFTS:
            session.lifts.clear()
        options = {"focus": order.focus, "zoom": order.zoom, **lens(session, height, width)}
        session.lifts[order.zoom] = pipe.lift(session.photo, height, width, **options)
    return session.lifts[order.zoom]


def lens(session: Session, height: int, width: int) -> dict[str, float]:
    """The crop's field of view, where the camera wrote its focal length into the photo."""
    if session.focal_35mm is None:
        return {}
    focal = focal_pixels(session.focal_35mm, session.photo.height, session.photo.width)
    longest = max(media.crop_size(session.photo.size, height, width))
    return {"fov_degrees": float(np.degrees(2 * np.arctan(longest / 2 / focal)))}


def size_of(engine: Engine, session: Session, order: Order, quality: str = "draft") -> tuple[int, int]:
    """(height, width) of a clip of this photo; 16:9 is taken for a photo that is not there yet."""
    photo_size = (9, 16) if session.photo is None else (session.photo.height, session.photo.width)
    if engine.own_size is None:
        return clip_size(order.ratio, quality, photo_size)
    return large_size(order.ratio, quality, photo_size, engine.own_size, engine.grid)


def order_of(engine: Engine, *fields) -> Order:
    """What the widgets ask for, at the model's frame rate. Raises Refusal."""
    return Order.read(*fields, fps=engine.fps)


def show_photo(engine: Engine, session: Session, order: Order) -> None:
    """The stage shows the photo as it will be cropped."""
    height, width = size_of(engine, session, order, "standard")
    file = session.new_file(".jpg")
    picture = media.crop(session.photo, height, width, order.focus, order.zoom)
    write_poster(np.asarray(picture), file)
    session.show("photo", file, picture.height, picture.width)


def language_of(request: gr.Request) -> str:
    """Italian for browsers that ask for Italian before English, English for all others."""
    wanted = [part.split(";")[0].strip()[:2] for part in request.headers.get("accept-language", "").lower().split(",")]
    return next((code for code in wanted if code in ("it", "en")), "en")


# -- 1. the photo ---------------------------------------------------------------------------------------------------


@explains
def take_photo(engine: Engine, session: Session, language: str, path, ratio, focus) -> Iterator[Answer]:
    """A photo was uploaded. path: where the upload route put it."""
    if not media.is_upload(path):
        raise Refusal("not_an_upload")
    # GPS and the rest of the original must not stay on the disk longer than it takes to read it
    try:
        refuse_while_busy(session)
        photo, focal = open_photo(path), read_focal(path)
    finally:
        media.discard(path)
    yield from _new_photo(engine, session, language, photo, focal, ratio, focus)


@explains
def take_example(engine: Engine, session: Session, language: str, example, ratio, focus) -> Iterator[Answer]:
    refuse_while_busy(session)
    if not isinstance(example, str) or example not in media.examples():
        raise Refusal("bad_value", name="example", value=f"{example!r:.40}", allowed=tuple(media.examples()))
    path = media.examples()[example]
    yield from _new_photo(engine, session, language, open_photo(path), read_focal(path), ratio, focus)


def _new_photo(engine: Engine, session: Session, language: str, photo, focal, ratio, focus) -> Iterator[Answer]:
    order = Order.read(next(iter(presets())), 4, ratio, "draft", "right", 100, focus, 0)  # checks ratio and crop
    session.set_photo(photo, focal)
    show_photo(engine, session, order)
    yield {"stage": stage(session), **meter(session, language), **sheet(session, language)}


# -- 2. the move ----------------------------------------------------------------------------------------------------


@explains
def pick_move(engine: Engine, session: Session, language: str, preset) -> Iterator[Answer]:
    """A card was chosen: its own length and its directions. A path of one's own says all of that itself."""
    if preset == DRAWN:
        yield _settings_of_drawn(language)
        return
    session.drawing = False
    order = Order.read(preset, 4, "photo", "draft", "right", 100, 50, 0)
    chosen = presets()[order.preset]
    ways = directions(order.preset)
    shown = ways or ("left", "right")  # a radio group without choices would refuse every value
    own = chosen.params.get("direction")
    yield {
        "seconds": gr.update(value=min(max((chosen.frames - 1) // FPS, 2), 8), visible=True),
        "strength": gr.update(value=100, visible=True),
        "direction": gr.update(
            visible=bool(ways),
            choices=[(say(language, way), way) for way in shown],
            value=own if own in shown else "right",
        ),
        "summary": move_summary(order.preset, language),
    }


def _settings_of_drawn(language: str) -> Answer:
    hidden = gr.update(visible=False)
    return {"seconds": hidden, "strength": hidden, "direction": hidden, "summary": move_summary(DRAWN, language)}


def move_summary(preset, language: str) -> str:
    if preset == DRAWN:
        return escape(say(language, "drawn_summary"))
    if not isinstance(preset, str) or preset not in presets():
        return ""
    return escape(getattr(presets()[preset].summary, language if language == "it" else "en"))


@explains
@looks
def preview(engine: Engine, session: Session, language: str, *fields) -> Iterator[Answer]:
    """The move on the lifted photo, without inventing anything: a few seconds, and what it would uncover."""
    yield from _preview(engine, session, language, *fields)


def _preview(engine: Engine, session: Session, language: str, *fields) -> Iterator[Answer]:
    if session.photo is None:
        raise Refusal("need_photo")
    order = order_of(engine, *fields)
    show_photo(engine, session, order)
    yield {"stage": stage(session, note=say(language, "lifting"))}
    pipe = engine.pipe(order.depth)
    session.drawing, session.drawn = False, order.path is not None
    height, width = size_of(engine, session, order)
    lifted = lift(pipe, session, order, height, width)
    trajectory = order.trajectory(lifted.camera, lifted.distance)
    yield {"stage": stage(session, note=say(language, "drawing_preview"))}
    max_frames = DRAWN_FRAMES if session.drawn else PREVIEW_FRAMES
    frames, coverage = pipe.preview(lifted, trajectory, max_frames=max_frames)
    file = session.new_file(".mp4")
    write_mp4(frames, file, fps=len(frames) / trajectory.seconds, crf=23, preset="ultrafast")
    session.show("preview", file, height, width)
    torn = float(pipe.torn(lifted.memory, trajectory[::4]).max())
    session.measure(coverage, None if session.drawn else calm_seconds(trajectory, lifted.distance), torn)
    session.zoom = order.zoom
    yield {"stage": stage(session), **meter(session, language)}


@explains
@looks
def reframe(engine: Engine, session: Session, language: str, *fields) -> Iterator[Answer]:
    """Seconds, crop, closeness or strength changed: the preview follows; without a move only the crop does."""
    if session.photo is None:
        yield {}  # the photo was refused: nothing to frame
    elif fields[0] == DRAWN:
        yield from _open_editor(engine, session, language, *fields)
    elif fields[0] is None:
        order = Order.read(next(iter(presets())), *fields[1:])
        show_photo(engine, session, order)
        yield {"stage": stage(session)}
    else:
        yield from _preview(engine, session, language, *fields)


@explains
@looks
def suit(engine: Engine, session: Session, language: str, *fields) -> Iterator[Answer]:
    """Photo, move, direction or format was chosen: how close a frame and how much of the move suit; the preview."""
    if session.photo is None:
        yield {}  # the photo was refused: nothing to frame
        return
    if fields[0] == DRAWN:
        yield from _open_editor(engine, session, language, *fields)
        return
    order = order_of(engine, fields[0] or next(iter(presets())), *fields[1:])
    show_photo(engine, session, order)
    if fields[0] is None:
        yield {"stage": stage(session)}
        return
    yield {"stage": stage(session, note=say(language, "lifting"))}
    pipe, size = engine.pipe(order.depth), size_of(engine, session, order)
    lifted, strength = pipe.suited(
        lambda zoom: lift(pipe, session, replace(order, zoom=zoom), *size),
        lambda lifted, part: replace(order, strength=part).trajectory(lifted.camera, lifted.distance),
    )
    strength, zoom = round(strength * 100), round(lifted.zoom * 100)
    yield {"strength": strength, "zoom": zoom}
    yield from _preview(engine, session, language, *fields[:5], strength, *fields[6:10], zoom, *fields[11:])


@explains
@in_turn
def shorten(engine: Engine, session: Session, language: str, *fields) -> Iterator[Answer]:
    """The longest path of the same kind that keeps 80 % of every frame from the photo and does not tear outlines."""
    if session.photo is None:
        raise Refusal("need_photo")
    order = order_of(engine, *fields)
    pipe = engine.pipe(order.depth)
    height, width = size_of(engine, session, order)
    lifted = lift(pipe, session, order, height, width)
    yield {"stage": stage(session, note=say(language, "drawing_preview"))}
    strength = round(order.strength * 100)
    while strength > 10:
        strength = max(10, round(strength * 0.8 / 5) * 5)
        shorter = order_of(engine, *fields[:5], strength, *fields[6:])
        trajectory = shorter.trajectory(lifted.camera, lifted.distance)
        if pipe.coverage(lifted.memory, trajectory).min() < LOW_COVERAGE:
            continue
        if pipe.torn(lifted.memory, trajectory[::4]).max() <= MUCH_TORN:
            break
    yield {"strength": strength}
    yield from _preview(engine, session, language, *fields[:5], strength, *fields[6:])


# -- 2b. a path of one's own ----------------------------------------------------------------------------------------


def _open_editor(engine: Engine, session: Session, language: str, *fields) -> Iterator[Answer]:
    """The editor comes in front of the picture, with the photo as a place."""
    framing = _framing(fields)
    show_photo(engine, session, framing)
    session.drawing = True
    yield {"stage": stage(session, note=say(language, "lifting"))}
    lifted = _enter(engine, session, framing)
    yield {
        "stage": stage(session),
        "editor": gr.update(place=session.place, **_review(engine, language, lifted, fields)),
    }


def _framing(fields: tuple) -> Order:
    """Ratio, crop and depth of what the widgets hold, whatever move is chosen."""
    return Order.read(next(iter(presets())), *fields[1:8], None, *fields[9:])


def _enter(engine: Engine, session: Session, framing: Order):
    """The lifted photo; `session.place` then is what the editor needs to show it."""
    height, width = size_of(engine, session, framing)
    pipe = engine.pipe(framing.depth)
    lifted = lift(pipe, session, framing, height, width)

    # most estimators are relative: they know no metres
    is_metric = bool(getattr(pipe.engine.depth_estimator, "is_metric", False))

    def make(file: Path) -> dict:
        return describe(file, lifted, framing.seconds, is_metric)

    session.enter((framing.ratio, framing.focus, framing.zoom, height, width, framing.depth), make)
    return lifted


@explains
@in_turn
def edit_path(engine: Engine, session: Session, language: str, *fields) -> Iterator[Answer]:
    """From the picture to the editor: a move of the gallery comes along as keys, a drawn path is there already."""
    if session.photo is None:
        raise Refusal("need_photo")
    if fields[0] == DRAWN:
        yield from _open_editor(engine, session, language, *fields)
        return
    order = order_of(engine, *fields)
    lifted = _enter(engine, session, order)
    path = CameraPath.from_trajectory(order.trajectory(lifted.camera, lifted.distance))
    session.drawing = True
    yield {
        "stage": stage(session),
        "cards": DRAWN,
        **_settings_of_drawn(language),
        "editor": gr.update(value=path.to_dict(), place=session.place),
    }


def edited(engine: Engine, session: Session, language: str, *fields) -> Answer:
    """The path changed: what can be said at once."""
    try:
        drawn_path(fields[8])
    except Refusal as error:
        review = {} if error.key == "need_path" else {"notice": error.said_in(language), "turn": next(turn)}
        return {"editor": gr.update(review=review), "estimate": escape(error.said_in(language))}
    return estimate(engine, session, language, *fields)  # what is wrong with it the page has asked for itself


@explains
@looks
def check_path(engine: Engine, session: Session, language: str, *fields) -> Iterator[Answer]:
    """The path changed: how much of it the photo backs, and what should be better."""
    if session.photo is None or fields[0] != DRAWN or fields[8] is None:
        yield {}
        return
    lifted = _enter(engine, session, _framing(fields))
    yield {"editor": gr.update(**_review(engine, language, lifted, fields))}


def _review(engine: Engine, language: str, lifted, fields: tuple) -> dict:
    """What the editor tells about the path it holds."""
    try:
        order = Order.read(*fields)  # the editor counts in frames of its own
    except Refusal:
        return {"review": {}}
    trajectory = order.trajectory(lifted.camera, lifted.distance)
    coverage = engine.pipe(order.depth).coverage(lifted.memory, trajectory)
    found = checks.check_path(trajectory, lifted.distance, lifted.depth, lifted.camera, coverage, order.path)
    found = findings(found, language) or [{"level": "good", "words": words.tell(language, "found_good")}]
    said = {"coverage": np.round(coverage, 3).tolist(), "findings": found, "turn": next(turn)}
    return {"review": {**said, "of": fields[8] if isinstance(fields[8], str) else None}}


@explains
@in_turn
def repair_path(engine: Engine, session: Session, language: str, repair, *fields) -> Iterator[Answer]:
    """A repair was asked for: the path after it. The editor then has it reviewed as any other edit."""
    if session.photo is None:
        raise Refusal("need_photo")
    order = Order.read(DRAWN, *fields[1:])
    yield {"stage": stage(session, note=words.tell(language, "mending"))}
    lifted, pipe = _enter(engine, session, order), engine.pipe(order.depth)
    path = repairs.repaired(
        with_lens(order.path, lifted.camera),
        one_of("repair", repair, repairs.REPAIRS),
        lifted.camera,
        lifted.distance,
        lifted.depth,
        lambda trajectory: pipe.coverage(lifted.memory, trajectory),
        FPS,
    )
    yield {"stage": stage(session), "editor": gr.update(value=path.to_dict())}


def pasted(engine: Engine, session: Session, language: str, text) -> Answer:
    """A path as text came in."""
    try:
        path = drawn_path(text)
    except Refusal as error:
        return {"editor": gr.update(review={"notice": error.said_in(language), "turn": next(turn)})}
    return {"editor": gr.update(value=path.to_dict())}


@explains
@in_turn
def take_cameras(engine: Engine, session: Session, language: str, files, fix, *fields) -> Iterator[Answer]:
    """Files with cameras were uploaded: their path, carried to the photo's camera and lens."""
    if session.photo is None:
        raise Refusal("need_photo")
    if not isinstance(files, list) or not files or not all(media.is_upload(file) for file in files):
        raise Refusal("not_an_upload")
    lifted = _enter(engine, session, _framing(fields))
    try:
        fix = None if fix is None else one_of("fix", fix, FIXES)
        path, notice, fixes = opened(files, lifted.camera, language, fix)
    finally:
        for file in files:
            media.discard(file)
    value = {} if path is None else {"value": path.to_dict()}
    review = {"notice": notice, "fixes": fixes, "turn": next(turn)}
    yield {"stage": stage(session), "editor": gr.update(review=review, **value)}


# -- 3. the clip ----------------------------------------------------------------------------------------------------


def estimate(engine: Engine, session: Session, language: str, *fields) -> Answer:
    """How long a render would take, how large and how long the clip would be."""
    try:
        order = order_of(engine, fields[0] or next(iter(presets())), *fields[1:])
    except Refusal as error:
        return {"estimate": escape(error.said_in(language))}
    height, width = size_of(engine, session, order, order.quality)
    figures = {"width": width, "height": height, "frames": order.frames}
    if engine.settings.model != EMBEDDED and not pace.has_learned:  # it starts from what the embedded model takes
        return {"estimate": escape(say(language, "estimate_unknown", **figures))}
    seconds = duration(language, pace.estimate(order.frames, height, width))
    return {"estimate": escape(say(language, "estimate", time=seconds, **figures))}


def begin(engine: Engine) -> Answer:
    """Before the render waits for its turn: the button becomes Stop."""
    return {"render": gr.update(visible=False), "preview": gr.update(visible=False), "cancel": gr.update(visible=True)}


@explains
@in_turn
def render(engine: Engine, session: Session, language: str, *fields) -> Iterator[Answer]:
    """The clip, with every step told and its frames shown as they come. Closing the generator stops the work."""
    if session.photo is None:
        raise Refusal("need_photo")
    order = order_of(engine, *fields)
    height, width = size_of(engine, session, order, order.quality)
    show_photo(engine, session, order)
    session.drawing, session.drawn = False, order.path is not None
    take = session.take = Take(order)
    try:
        yield {"stage": stage(session, note=say(language, "lifting"), share=0)}
        pipe = engine.pipe(order.depth)
        started = time.perf_counter()
        # The preview's camera and distance: what was shown is what is rendered
        lifted = lift(pipe, session, order, *size_of(engine, session, order))
        camera = Camera.from_fov(lifted.camera.fov_degrees, height, width)
        trajectory = order.trajectory(camera, lifted.distance)
        done, quality = None, "draft" if order.quality == "draft" else "standard"
        settings = {"prompt": order.prompt or None, "seed": order.seed, "quality": quality}
        settings |= {"focus": order.focus, "zoom": order.zoom}
        take.recipe = pipe.recipe(session.photo, trajectory, **settings)
        events = pipe.stream(session.photo, trajectory, **settings)
        try:
            for event in events:
                if isinstance(event, StepEvent):
                    yield {"stage": stage(session, **_progress(language, event))}
                elif isinstance(event, ChunkEvent):
                    take.frames.append(event.frames)
                    take.coverage.append(event.coverage)
                    _show_live(session, event.frames)
                    share = (event.chunk + 1) / event.num_chunks if event.chunk + 1 < event.num_chunks else 1.0
                    yield {"stage": stage(session, note=say(language, "stage_decode"), share=share)}
                elif isinstance(event, DoneEvent):
                    done = event
        finally:
            events.close()  # the work stops with the visit that asked for it
        yield {"stage": stage(session, note=say(language, "writing"), share=1.0)}
        recipe = {**done.recipe, "studio": order.recipe(), "report": report_of(done)}
        session.keep(write_clip(session, order, done.frames, done.coverage, recipe))
        pace.learn(time.perf_counter() - started, order.frames, height, width)
    finally:
        take.ended.set()
    yield {**finished(session, language), **estimate(engine, session, language, *fields)}


def finished(session: Session, language: str) -> Answer:
    """The session's clip on the stage, with everything that belongs to it."""
    clip = session.clip
    session.show("clip", clip.video, *clip.size)
    session.measure(clip.coverage, None)
    return {"stage": stage(session), **meter(session, language), **sheet(session, language), **idle()}


def stopped(engine: Engine, session: Session, language: str) -> Answer:
    """Stop was pressed: the render is closed at its next step; what was ready becomes a short clip."""
    take, session.take = session.take, None
    if take is None:  # it was still waiting for its turn
        return {"stage": stage(session, note=say(language, "stopped")), **idle()}
    take.ended.wait(STOP_SECONDS)
    if session.clip is not None and session.clip.order is take.order:  # it was finished just before
        return finished(session, language)
    if take.num_frames < MIN_PARTIAL * take.order.fps:
        if session.clip is not None:  # the clip before it is still there, with its figures and files
            answer = finished(session, language)
            answer["stage"]["note"] = say(language, "stopped")
            return answer
        if session.photo is not None:
            show_photo(engine, session, take.order)
        return {"stage": stage(session, note=say(language, "stopped")), **idle()}
    report = {"stopped_after_frames": take.num_frames}
    recipe = {**take.recipe, "studio": take.order.recipe(), "report": report}
    try:
        frames, coverage = np.concatenate(take.frames), np.concatenate(take.coverage)
        session.keep(write_clip(session, take.order, frames, coverage, recipe))
    except OSError as error:
        return {"stage": stage(session, error=sentence(language, error)), **idle()}
    answer = finished(session, language)
    answer["stage"]["note"] = say(language, "stopped_partial", seconds=take.num_frames / take.order.fps)
    return answer


def same_again(session: Session, language: str, *fields) -> tuple:
    """The widgets as they were for the last clip; rendering then gives the same bits."""
    return session.clip.order.widgets() if session.clip is not None else fields


def new_seed() -> int:
    return secrets.randbelow(1_000_000)


def _progress(language: str, event: StepEvent) -> dict:
    names = ("encode", "depth", "denoise", "decode")
    what = say(language, f"stage_{event.stage}") if event.stage in names else event.stage
    if event.stage in ("encode", "depth"):
        return {"note": f"{what}…", "share": 0.02}
    words = say(
        language,
        "progress",
        what=what,
        step=event.step,
        steps=event.num_steps,
        chunk=event.chunk + 1,
        chunks=event.num_chunks,
    )
    inside = event.step / max(event.num_steps, 1) * 0.5 + (0.5 if event.stage == "decode" else 0.0)
    return {"note": words, "share": min((event.chunk + inside) / max(event.num_chunks, 1), 0.99)}


def _show_live(session: Session, frames: np.ndarray) -> None:
    """The newest frame that is ready."""
    picture = media.small(frames[-1])
    file = session.new_file(".jpg")
    write_poster(np.asarray(picture), file)
    session.show("live", file, *frames.shape[1:3])
