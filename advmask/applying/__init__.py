"""The digital mask: a design worn in pictures and videos, at their own resolution.

A picture's faces are found (`face_finding`) and drawn over (`mask_drawing`); a video's faces are followed
(`tracking`) and held steady (`steadying`) first. Files come and go through `picture_files` and `video_files`.
"""

from advmask.applying.apply_to_picture import Applied, apply_to_picture
from advmask.applying.apply_to_video import apply_to_video
from advmask.applying.face_finding import FaceFinder, FindSettings, FoundFace
from advmask.applying.job_folders import Job, Plan, plan_jobs
from advmask.applying.mask_drawing import Drawn, WornDesign, draw_masks
from advmask.applying.steadying import SteadySettings, steadied

__all__ = [
    "Applied",
    "Drawn",
    "FaceFinder",
    "FindSettings",
    "FoundFace",
    "Job",
    "Plan",
    "SteadySettings",
    "WornDesign",
    "apply_to_picture",
    "apply_to_video",
    "draw_masks",
    "plan_jobs",
    "steadied",
]
