"""The clip: what it will cost, its render with every step shown, and what Stop keeps of it."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import fields, replace
from html import escape

import gradio as gr
import numpy as np

from pipelines.cameras import Trajectory
from pipelines.events import ChunkEvent, DoneEvent, StepEvent
from pipelines.media.clips import RATES, write_poster
from studio.download import report_of, sheet, write_clip
from studio.handlers.answers import Answer, explains, idle, stage
from studio.handlers.meter import meter
from studio.handlers.move import settle
from studio.handlers.photo import camera_of, lift, show_photo, size_of
from studio.handlers.softness import softness
from studio.handlers.turns import in_turn
from studio.job import Job
from studio.order import SHORTEST, Inputs, Order, presets
from studio.pictures import small
from studio.session import Measured, Session, Take
from studio.settings import EMBEDDED
from studio.words import Refusal, duration, explain, say
from studio.workbench import Workbench

MIN_PARTIAL = 1.0  # seconds: a stopped clip that is shorter is not worth keeping
STOP_SECONDS = 30
WATCH_SECONDS = 0.1  # between two looks at a job
DEPTH_SHARE = 0.02  # of a render's progress, once the depth is being measured


def estimate(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Answer:
    """How long a render would take, how large and how long the clip would be."""
    try:
        order = Order.read(replace(inputs, preset=inputs.preset or next(iter(presets()))), workbench.native_fps)
    except Refusal as error:
        return {"estimate": escape(error.said_in(language))}
    height, width = size_of(workbench, session, order, order.quality)
    figures = {"width": width, "height": height, "frames": order.frames, "fps": order.fps}
    pace = workbench.pace
    if workbench.settings.model != EMBEDDED and not pace.has_learned:  # it starts from what the embedded model takes
        words = say(language, "estimate_unknown", **figures)
    else:
        seconds = duration(language, pace.estimate(order.made_frames, height, width))
        words = say(language, "estimate", time=seconds, **figures)
    if order.duration < SHORTEST:
        words = words.rstrip(".") + ". " + say(language, "too_short", limit=SHORTEST)
    return {"estimate": escape(words) + softness(workbench, session, order, language)}


def count(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Answer:
    """A setting of the clip changed: its estimate, and the rate at which the editor saves cameras."""
    answer = estimate(workbench, session, language, inputs)
    return {**answer, "path": gr.update(fps=inputs.fps)} if inputs.fps in RATES else answer


# -- the job --------------------------------------------------------------------------------------------------------


def begin(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Answer:
    """Render was clicked: its job starts, the button becomes Stop. The same click sent again finds the job it began."""
    with session.lock:
        if not session.is_working:
            session.job = Job(lambda job: work(workbench, session, language, inputs, job), ordered=inputs).start()
        elif inputs != session.job.ordered:
            return {"stage": stage(session, error=say(language, "busy")), **working()}
    return working()


def working() -> Answer:
    """The buttons as they are while a render runs."""
    return {"render": gr.update(visible=False), "preview": gr.update(visible=False), "cancel": gr.update(visible=True)}


@explains
def work(workbench: Workbench, session: Session, language: str, inputs: Inputs, job: Job) -> Iterator[Answer]:
    """All that a render's job answers, from its place in the line to its end or to what Stop keeps."""
    session.take = None  # of the render before this one: nothing of that is kept by a Stop of this one
    with closing(render(workbench, session, language, inputs)) as answers:
        for answer in answers:
            yield answer
            if job.is_stopping:
                break
        else:
            return
    yield stopped(workbench, session, language, inputs)


async def watch(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> AsyncIterator[Answer]:
    """What the visit's job has answered, and then what it answers, until it is over. Only looks: a page that goes away
    leaves the job as it is."""
    job, seen, is_over = session.job, 0, session.job is None
    while not is_over:
        is_over = job.is_over  # asked first, so that its last answer is among the news
        answer, seen = job.news(seen)
        if answer:
            yield answer
        if not is_over:
            await asyncio.sleep(WATCH_SECONDS)


def stop(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Answer:
    """Stop was pressed: the job ends at its next step, with what it keeps."""
    job = session.job
    if job is None:
        return idle()
    job.stop()
    job.wait(STOP_SECONDS)
    answer, _ = job.news()
    return answer


# -- render ---------------------------------------------------------------------------------------------------------


@explains
@in_turn
def render(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Iterator[Answer]:
    """The clip, with every step shown and its frames as they come. Closing the generator stops the work; its job does,
    no page."""
    if session.photo is None:
        raise Refusal("need_photo")
    order = Order.read(inputs, workbench.native_fps)
    show_photo(workbench, session, order)
    session.drawing, session.drawn = False, order.path is not None
    take = session.take = Take(order)
    try:
        yield {"stage": stage(session, note=say(language, "lifting"), share=0)}
        inputs, take.order = yield from settle(workbench, session, language, inputs)
        if take.order.zoom != order.zoom:
            show_photo(workbench, session, take.order)
        started = time.perf_counter()
        done = yield from make_clip(workbench, session, language, take)
        yield {"stage": stage(session, note=say(language, "writing"), share=1.0)}
        recipe = {**done.recipe, "studio": take.order.recipe() | session.used, "report": report_of(done)}
        clear = done.alpha, done.backdrop
        session.keep(write_clip(session.folder, take.order, done.frames, done.coverage, recipe, *clear))
        take.release()
        workbench.pace.learn(time.perf_counter() - started, len(done.frames), *done.frames.shape[1:3])
    except Exception:  # not where it is closed: Stop keeps what was ready
        take.release()
        raise
    finally:
        take.ended.set()
    yield {**finished(session, language), **estimate(workbench, session, language, inputs)}


def make_clip(workbench: Workbench, session: Session, language: str, take: Take):
    """Render `take`, collecting in it what is ready. Yields answers, returns the DoneEvent."""
    order, pipe = take.order, workbench.pipe
    trajectory = cameras_of(workbench, session, order)
    yield {"stage": stage(session, note=say(language, "lifting"), share=DEPTH_SHARE)}
    lifted = lift(workbench, session, order, (trajectory.height, trajectory.width))
    settings = {
        "prompt": order.prompt or None,
        "seed": order.seed,
        "quality": "draft" if order.quality == "draft" else "standard",
    }
    take.backdrop = lifted.backdrop_colour
    take.recipe = pipe.recipe(lifted, trajectory, **settings)
    events = pipe.stream(lifted, trajectory, **settings, alpha=order.alpha is not None)
    try:
        for event in events:
            if isinstance(event, StepEvent):
                yield {"stage": stage(session, **progress(language, event))}
            elif isinstance(event, ChunkEvent):
                take.frames.append(event.frames)
                take.coverage.append(event.coverage)
                if event.alpha is not None:
                    take.alpha.append(event.alpha)
                show_live(session, event.frames)
                share = (event.chunk + 1) / event.num_chunks if event.chunk + 1 < event.num_chunks else 1.0
                yield {"stage": stage(session, note=say(language, "stage_decode"), share=share)}
            elif isinstance(event, DoneEvent):
                return event
    finally:
        events.close()


def cameras_of(workbench: Workbench, session: Session, order: Order) -> Trajectory:
    """The cameras of the clip: those of the preview, at the size of the clip."""
    height, width = size_of(workbench, session, order, order.quality)
    distance = lift(workbench, session, order).distance  # of the subject, as the preview measured it
    return order.trajectory(camera_of(session, order, height, width), distance)


def progress(language: str, event: StepEvent) -> dict:
    """Words and share (0..1) of the whole for the stage."""
    words = say(
        language,
        "progress",
        what=say(language, f"stage_{event.stage}"),
        step=event.step,
        steps=event.num_steps,
        chunk=event.chunk + 1,
        chunks=event.num_chunks,
    )
    inside = event.step / max(event.num_steps, 1) * 0.5 + (0.5 if event.stage == "decode" else 0.0)
    return {"note": words, "share": min(max((event.chunk + inside) / max(event.num_chunks, 1), DEPTH_SHARE), 0.99)}


def show_live(session: Session, frames: np.ndarray) -> None:
    """The newest of the frames (T, H, W, 3) uint8 that are ready comes onto the stage."""
    picture = small(frames[-1])
    file = session.new_file(".jpg")
    write_poster(np.asarray(picture), file)
    session.show("live", file, *frames.shape[1:3])


def finished(session: Session, language: str) -> Answer:
    """The session's clip on the stage, with everything that belongs to it."""
    clip = session.clip
    session.show("clip", clip.video, *clip.size)
    session.measured = Measured(clip.coverage)
    return {"stage": stage(session), **meter(session, language), **sheet(clip, language), **idle()}


# -- stop, again ----------------------------------------------------------------------------------------------------


def stopped(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Answer:
    """After a render that was closed: what was ready becomes a short clip."""
    take, session.take = session.take, None
    if take is None:  # it was still waiting for its turn
        return {"stage": stage(session, note=say(language, "stopped")), **idle()}
    take.ended.wait(STOP_SECONDS)
    if session.clip is not None and session.clip.order is take.order:  # it was finished just before
        return finished(session, language)
    if take.num_frames < MIN_PARTIAL * take.order.made_fps:
        return nothing_kept(workbench, session, language, take)
    report = {"stopped_after_frames": take.num_frames}
    recipe = {**take.recipe, "studio": take.order.recipe() | session.used, "report": report}
    try:
        frames, coverage = np.concatenate(take.frames), np.concatenate(take.coverage)
        clear = np.concatenate(take.alpha) if take.alpha else None, take.backdrop
        session.keep(write_clip(session.folder, take.order, frames, coverage, recipe, *clear))
    except OSError as error:
        return {"stage": stage(session, error=explain(language, error)), **idle()}
    answer = finished(session, language)
    answer["stage"]["note"] = say(language, "stopped_partial", seconds=take.num_frames / take.order.made_fps)
    return answer


def nothing_kept(workbench: Workbench, session: Session, language: str, take: Take) -> Answer:
    """Too little was ready: the clip before it is there again, with its figures and files, or else the photo."""
    if session.clip is not None:
        answer = finished(session, language)
        answer["stage"]["note"] = say(language, "stopped")
        return answer
    if session.photo is not None:
        show_photo(workbench, session, take.order)
    return {"stage": stage(session, note=say(language, "stopped")), **idle()}


def same_again(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Answer:
    """The widgets as they were for the last clip; rendering then gives the same bits."""
    if session.clip is None:
        return {}
    used = session.clip.order.inputs()
    used = replace(used, suited=used.choice(session.photo_id), yaw=inputs.yaw, pitch=inputs.pitch)
    return {field.name: getattr(used, field.name) for field in fields(used)}


def new_seed(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Answer:
    return {"seed": secrets.randbelow(1_000_000)}
