"""Tests of the chart need OpenCV, which is an optional extra."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("cv2") else ["test_*.py"]
