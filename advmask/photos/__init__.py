"""Reading pictures safely, finding faces, working crops, and folders of people.

`load_faces` does it all; the parts it is made of can be used by themselves. Networks are loaded only when a
picture is searched for faces.
"""

from advmask.core.picture_reading import read_picture
from advmask.photos.crop_cache import CachedCrop, CachedFailure, CropCache, default_crop_folder
from advmask.photos.crops import (
    FaceCrop,
    apply_transform,
    canonical_points,
    crop_transform,
    cut_crop,
    invert_transform,
)
from advmask.photos.detection import Face, FaceDetector, choose_face
from advmask.photos.face_mesh import FaceMesh
from advmask.photos.landmark_files import GivenPoints, points_path, read_points
from advmask.photos.loading import FaceSet, FacesSettings, Omission, load_faces, portrait_path
from advmask.photos.mesh_points import five_from_mesh
from advmask.photos.occluders import occluder_path, read_occluder
from advmask.photos.people_folders import PersonPhotos, Split, find_people, split_people

__all__ = [
    "CachedCrop",
    "CachedFailure",
    "CropCache",
    "Face",
    "FaceCrop",
    "FaceDetector",
    "FaceMesh",
    "FaceSet",
    "FacesSettings",
    "GivenPoints",
    "Omission",
    "PersonPhotos",
    "Split",
    "apply_transform",
    "canonical_points",
    "choose_face",
    "crop_transform",
    "cut_crop",
    "default_crop_folder",
    "find_people",
    "five_from_mesh",
    "invert_transform",
    "load_faces",
    "occluder_path",
    "points_path",
    "portrait_path",
    "read_occluder",
    "read_picture",
    "read_points",
    "split_people",
]
