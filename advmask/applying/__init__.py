"""The digital mask: a design worn in pictures and videos, at their own resolution.

A picture's faces are found (`face_finding`) and drawn over (`mask_drawing`); a video's faces are followed
(`tracking`) and held steady (`steadying`) first. Files come and go through `picture_files` and `video_files`.
"""
