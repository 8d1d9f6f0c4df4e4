"""Which words of scene metadata are known to have nothing to do with faces: ONVIF's names of shapes, places and classes.

After ONVIF's schemas metadatastream.xsd and common.xsd. HumanBody, images of objects and labels are left out: of them nobody can tell.
Axis's samples of metadata are written in the same words.
"""

from __future__ import annotations

from typing import Final

CLASSES: Final = frozenset(
    {
        *("human", "vehicle", "vehical", "animal", "bicycle", "bike", "motorcycle", "bus", "car", "truck", "drone", "fire", "smoke"),
        *("other", "licenseplate", "barcode"),
    }
)
SHAPES: Final = frozenset(
    {
        *("metadatastream", "videoanalytics", "frame", "object", "appearance", "shape", "boundingbox", "centerofgravity", "polygon"),
        *("point", "vector", "transformation", "translate", "scale", "class", "classcandidate", "type", "likelihood", "color"),
        *("colorcluster", "colorspace", "weight", "covariance", "objecttree", "delete", "split", "merge", "rename", "from", "to"),
        *("behaviour", "removed", "idle", "geolocation", "speed", "direction", "motionincells", "columns", "rows", "cells"),
        *("objectid", "utctime", "parent", "source", "value", "extension"),
        *("left", "top", "right", "bottom", "lon", "lat", "elevation"),
    }
)
"""Names of elements and attributes in a frame."""
