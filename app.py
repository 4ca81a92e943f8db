"""Opens the studio: `python app.py`, then http://127.0.0.1:7860. A Space starts with this file too.

Settings come from the environment: MIRAGE_HOST (127.0.0.1), MIRAGE_PORT (7860, or the next free one), MIRAGE_DATA
(folder for uploads and clips; a temporary one by default), and which models run: MIRAGE_MODEL, MIRAGE_DEPTH,
MIRAGE_PROFILE, see docs/studio.md. On a Space the host is 0.0.0.0.
"""

import os
import signal
import sys
from pathlib import Path

from pipelines.process import prepare_process

prepare_process()  # OpenMP reads how threads wait when torch comes in

# Read at import by the libraries below: the studio sends nothing to anybody
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
if data := os.environ.get("MIRAGE_DATA"):
    os.environ["GRADIO_TEMP_DIR"] = str(Path(data).expanduser().resolve())

import gradio as gr  # noqa: E402

from studio import uploads  # noqa: E402
from studio.page import serving  # noqa: E402
from studio.page.layout import CSS_PATHS, build_studio, theme  # noqa: E402
from studio.settings import Settings  # noqa: E402
from studio.workbench import Workbench  # noqa: E402


def launch(workbench: Workbench, host: str, port: int | None) -> gr.Blocks:
    """The page, served in the background. port: None for 7860 or the next free one."""
    demo = build_studio(workbench)
    demo.launch(
        server_name=host,
        server_port=port,
        share=False,
        run_history=False,
        ssr_mode=False,  # on a Space it would be on, and Gradio's own styles would come after the studio's
        max_file_size="48mb",  # above the studio's own limit, whose sentence is the better one
        theme=theme(),
        css_paths=CSS_PATHS,
        footer_links=[],
        enable_monitoring=False,
        app_kwargs={"middleware": [serving.middleware(demo)]},
        prevent_thread_lock=True,
        quiet=True,  # Gradio's words would propose a public link
    )
    return demo


def main() -> None:
    try:
        workbench = Workbench(Settings.read(os.environ))
    except ValueError as error:
        sys.exit(f"error: {error}")
    on_a_space = "SPACE_ID" in os.environ
    port = os.environ.get("MIRAGE_PORT")
    host = os.environ.get("MIRAGE_HOST", "0.0.0.0" if on_a_space else "127.0.0.1")
    demo = launch(workbench, host, int(port) if port else None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # ends as Ctrl+C does, so that no visit's files stay
    print(f"Mirage Studio is open at {demo.local_url} (Ctrl+C ends it)", flush=True)
    workbench.warm_up()  # after the page is up: reading torch takes as long as everything before it
    try:
        demo.block_thread()
    finally:
        for upload in demo.upload_file_set:  # those that no page has claimed
            uploads.discard(upload)


if __name__ == "__main__":
    main()
