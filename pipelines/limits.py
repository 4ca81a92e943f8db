"""How far a camera may go before its clip looks wrong: one table for moves, checks, the page and its editor.

Judged by eye on 19 photos, and from the steps of video models. Numbers only; the page gets the same ones.
"""

# How fast, per quarter of a second: four frames at 16 a second, the temporal step of a video model's latents
TURN_DEGREES = 3.0
TRAVEL = 0.04  # of the distance to the subject
SLACK = 1.02  # a path at the very limit stays inside it when it is opened as keys

# What of a frame must come from the photo, 0..1
BACKED = 0.87  # a move whose frames all show this share looks like the photo
ROOM_BACKED = 0.95  # the same where the frame is closer than the photo, which leaves the camera room to move
SEEN = 0.25  # below this the camera looks out of the photo
TORN = 0.026  # of a frame, what may open between near and far surfaces before outlines look torn, see Outlook.torn

# How far
SIDEWAYS = 0.2  # of the depth of what is near: how far estimated depth lets a camera step aside
CLEARANCE = 0.15  # of the distance to the subject: nearer to a surface its tokens are blown up to a blur
MIN_STRENGTH = 0.2  # of a move: below this it is no longer seen as one
FOV_DEGREES = (15.0, 100.0)  # across the width: beyond, the picture looks flat or bent
