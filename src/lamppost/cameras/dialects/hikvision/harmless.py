"""Which words of ISAPI are known to have nothing to do with faces: any other may, and a document with one of them denies nothing.

After Hikvision's published ISAPI guides: the messages XML_SmartCap, XML_Cap_AccessControl, XML_VCAResource, XML_FaceDetect,
XML_IntelliTrace, XML_Cap_FDLib, XML_FaceContrast and XML_VideoInputChannel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lamppost.cameras.dialects.hikvision.isapi import options
from lamppost.cameras.dialects.reading import Element
from lamppost.cameras.dialects.words import is_of_faces, level_of
from lamppost.model.devices import Level

# What a channel's intelligence may be used for: lines and regions, nothing, behaviour, counting from above.
RESOURCES: Final = frozenset({"smart", "close", "behavior", "verticalpeoplecounting"})
_NUMBERING: Final = {"id", "item", "name", "version"}
_SMART: Final = {
    *("issupportroi", "issupportintellitrace", "issupportfielddetection", "issupportdefocusdetection", "issupportaudiodetection"),
    *("issupportscenechangedetection", "issupportlinedetection", "issupportregionentrance", "issupportregionexiting"),
    *("issupportloitering", "issupportgroup", "issupportrapidmove", "issupportparking", "issupportunattendedbaggage"),
    *("issupportattendedbaggage", "issupportstoragedetection", "issupportshipsdetection", "issupportsmartcalibration"),
    "isbehaviorsupport",
}
_DOORS: Final = {
    *("issupportcardinfo", "issupportwiegandcfg", "issupportwiegandrulecfg", "issupportcardreadercfg", "issupportdoorcfg"),
    *("issupportremotecontroldoor", "issupportremotecontrolbuzzer", "issupportantisneakcfg", "issupportmultidoorinterlockcfg"),
    *("issupportmulticardcfg", "issupportacsworkstatus", "issupportdoorstatusplan", "issupportnfccfg", "issupportrfcardcfg"),
}
_LIBRARIES: Final = {"supportfunction", "fdnamemaxlen"}
_CONTRAST: Final = {
    *("facecontrast", "facecontrasttype", "enable", "enabled", "quickcontrast", "threshold", "fdliblist", "fdlib", "fdid"),
}
_RESOURCE: Final = {"type"}
_DETECTION: Final = {
    *("enabled", "sensitivitylevel", "starttriggertime", "endtriggertime", "normalizedscreensize", "normalizedscreenwidth"),
    *("normalizedscreenheight", "regioncoordinateslist", "regioncoordinates", "positionx", "positiony"),
}
_TRACKING: Final = {"enabled", "duration", "scenelist", "scene", "sceneid", "tracktime"}
_CHANNELS: Final = {
    *("videoinputchannel", "inputport", "videoinputenabled", "videoformat", "porttype", "resdesc", "powerlinefrequencymode"),
}
# By the beginning of the root's name, as documents are told apart; what is not named here has numbering alone.
_KNOWN: Final = {
    "smartcap": _SMART,
    "intelligentcap": _SMART,
    "intellicap": _SMART,
    "accesscontrol": _DOORS,
    "fdlibcap": _LIBRARIES,
    "fplibcap": _LIBRARIES,
    "fdrecord": {"fdid", "facelibtype", "recorddatanumber", "totalnum"},
    "facecontrast": _CONTRAST,
    "vcaresource": _RESOURCE,
    "facedetect": _DETECTION,
    "intellitrace": _TRACKING,
    "videoinputchannellist": _CHANNELS,
}
_ATTRIBUTES: Final = frozenset({"version", "xmlns", "opt", "min", "max", "size", "def", "schemalocation"})


def is_harmless(kind: str) -> bool:
    """Whether what a channel's intelligence is used for is known, and has nothing to do with faces."""
    return kind.lower() in RESOURCES


def unknown_words(root: Element) -> Iterator[str]:
    """Names in a document that may stand for something with faces: they are not known, and not said to be off.

    What speaks of faces is told as a yes where it is on, and stands here where it is neither on nor off.
    """
    name = root.name.lower()
    known = _NUMBERING | next((words for beginning, words in _KNOWN.items() if name.startswith(beginning)), set[str]())
    for element in root.all():
        yield from (key for key in element.attributes if key.lower() not in _ATTRIBUTES)
        is_word_in_list = element.name == "item" and bool(element.text) and not element.children
        if element is root or (element.name.lower() in known and not is_word_in_list) or _is_most(element):
            continue
        is_told = is_of_faces(element.name) and level_of(element.text) is Level.YES
        if not is_told and not _is_off(element):
            yield element.name


def _is_off(element: Element) -> bool:
    """Whether it says of itself that it is not there: an empty element says nothing."""
    words = (*options(element), *filter(None, (element.text,)))
    return not element.children and bool(words) and all(level_of(word) is Level.NO for word in words)


def _is_most(element: Element) -> bool:
    """Whether an element says how many libraries or entries there may be at most."""
    return is_most(element.name) and element.text.isascii() and element.text.isdigit()


def is_most(name: str) -> bool:
    """Whether something of this name says how many libraries or entries there may be at most."""
    lower = name.lower()
    return "max" in lower and "num" in lower and "len" not in lower and ("fd" in lower or "lib" in lower or "record" in lower)
