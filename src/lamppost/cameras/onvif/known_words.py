"""Which words of ONVIF's analytics and events are known to have nothing to do with faces: any other may, and denies nothing.

After ONVIF's published documents: Analytics Service Specification (rules, modules, and their parameters), Core and Imaging (events),
and the schemas that come with them. What a maker adds in its own words is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lamppost.cameras.dialects.scene_words import CLASSES, SHAPES
from lamppost.cameras.dialects.words import is_of_faces
from lamppost.cameras.onvif import xml
from lamppost.cameras.onvif.reading import line

_TYPES: Final = {  # of rules and modules
    *("linedetector", "fielddetector", "motionregiondetector", "cellmotiondetector", "tamperdetector", "loiteringdetector"),
    *("declarativemotiondetector", "linecounting", "occupancycounting", "objectdetection", "polygonobjectcounter", "audiodetector"),
    *("cellmotionengine", "objecttracker", "objecttrackerengine", "motionregionconfiguration"),
}
_PARAMETERS: Final = {
    *("mincount", "alarmondelay", "alarmoffdelay", "activecells", "direction", "classfilter", "confidencelevel", "sensitivity"),
    *("maxobjects", "segments", "field", "armed", "motionregion", "timethreshold", "timeinterval", "layout", "celllayout"),
    *("passallpolygons", "reportinginterval", "reporttimeinterval", "enabled", "any", "right", "left"),
}
_XSD: Final = {
    *("boolean", "string", "int", "integer", "float", "double", "decimal", "base64binary", "datetime", "duration", "anyuri"),
    *("nonnegativeinteger", "unsignedint", "stringlist", "intlist", "floatlist", "referencetoken", "polyline", "polygonlist"),
    *("relaylogicalstate", "motionexpression", "stringattrlist", "intrange", "floatrange", "durationrange"),
}
_TOPICS: Final = {
    *("device", "trigger", "digitalinput", "relay", "hardwarefailure", "storagefailure", "temperaturecritical", "fanfailure"),
    *("powersupplyfailure", "operatingtime", "lastreboot", "lastreset", "lastclocksynchronization", "lastbackup"),
    *("definedlimitreached", "meantimebetweenfailures", "environmentalconditions", "batterycapacity", "devicestatus"),
    *("monitoring", "processorusage", "videosource", "motionalarm", "globalscenechange", "imagingservice", "analyticsservice"),
    *("recordingservice", "imagetooblurry", "imagetoodark", "imagetoobright", "signalloss", "signaltoolow", "connectionfailed"),
    *("signalstandardmismatch", "ruleengine", "motion", "crossed", "objectsinside", "objectisinside", "tamper", "objectisloitering"),
    *("countaggregation", "counter", "ptzcontroller", "ptzpresets", "invoked", "reached", "aborted", "recordingconfig"),
    *("createrecording", "deleterecording", "trackconfiguration", "recordingconfiguration", "recordingjobconfiguration"),
    *("deletetrackdata", "createtrack", "deletetrack", "jobstate", "recordinghistory", "recording", "state", "track", "media"),
    *("profilechanged", "configurationchanged", "configuration", "audioanalytics", "audio", "detectedsound", "audiosource"),
    *("videoanalytics", "advancedsecurity", "keystore", "keystatus", "useralarm"),
}
_ITEMS: Final = {  # of messages
    *("token", "inputtoken", "relaytoken", "logicalstate", "failed", "critical", "ismotion", "istamper", "isinside", "rule"),
    *("videosourceconfigurationtoken", "videoanalyticsconfigurationtoken", "analyticsconfigurationtoken", "videosourcetoken"),
    *("audiosourceconfigurationtoken", "audioanalyticsconfigurationtoken", "issoundactive", "issoundenabled", "count", "status"),
    *("presettoken", "presetname", "ptzconfigurationtoken", "profiletoken", "since", "classtypes", "sourcetoken", "sourcename"),
}
_STRUCTURE: Final = {
    *("getsupportedrulesresponse", "supportedrules", "ruledescription", "rulecontentschemalocation", "parameters", "messages"),
    *("simpleitemdescription", "elementitemdescription", "simpleitem", "elementitem", "data", "key", "parenttopic"),
    *("getsupportedanalyticsmodulesresponse", "supportedanalyticsmodules", "analyticsmoduledescription", "analyticsmodule"),
    *("analyticsmodulecontentschemalocation", "getruleoptionsresponse", "ruleoptions", "min", "max", "items", "stringitems", "item"),
    *("getanalyticsmoduleoptionsresponse", "options", "getsupportedmetadataresponse", "sampleframe", "getrulesresponse"),
    *("getanalyticsmodulesresponse", "geteventpropertiesresponse", "topicset", "messagedescription", "fixedtopicset"),
    *("topicnamespacelocation", "topicexpressiondialect", "messagecontentfilterdialect", "messagecontentschemalocation"),
    *("producerpropertiesfilterdialect", "documentation", "getservicecapabilitiesresponse", "capabilities"),
    *("x", "y", "z", "polygonconfiguration", "polylineconfiguration", "polyline", "polylinearray", "segment"),
}
_WORDS: Final = CLASSES | SHAPES | _TYPES | _PARAMETERS | _XSD | _TOPICS | _ITEMS | _STRUCTURE
_ATTRIBUTES: Final = frozenset(
    {
        *("name", "type", "value", "ruletype", "analyticsmodule", "isproperty", "limit", "fixed", "maxinstances", "topic", "token"),
        *("objectid", "utctime", "likelihood", "x", "y", "z", "left", "top", "right", "bottom", "minoccurs", "maxoccurs", "lang"),
        *("columns", "rows", "dialect", "parent", "uuid", "schemalocation", "rulesupport", "analyticsmodulesupport"),
        *("cellbasedscenedescriptionsupported", "ruleoptionssupported", "analyticsmoduleoptionssupported", "supportedmetadata"),
    }
)
_NAMING: Final = frozenset({"Name", "Type", "RuleType", "AnalyticsModule"})
_SPLIT: Final = re.compile(r"[\s,;|/]+")
_LOCATION: Final = re.compile(r"(?i)(?:location|dialect)$")
_NO_WORD: Final = re.compile(r"[-+\d.:TZ%]*|PT?[\dHMSDY.]+|\w+://\S*")


def is_known(word: str) -> bool:
    """Whether a word, without its prefix, is one of ONVIF's own that has nothing to do with faces; numbers and addresses are."""
    local = word.strip().rpartition(":")[2].lower()
    return local in _WORDS or local in ("true", "false") or bool(_NO_WORD.fullmatch(word.strip()))


def unknown_words(root: xml.Element, *, has_given_names: bool = False) -> Iterator[str]:
    """Words of an answer, or a part of one, that are not known here and speak of nothing known: elements, types, classes, topics.

    `has_given_names`: rules and modules have names that a person has given them, and values that may be anything.
    """
    body = xml.child(root, "Body")
    for element in (root if body is None else body).iter():
        name = xml.local_name(element)
        if element is body or not name:
            continue
        for word in _words_of(element, name, has_given_names=has_given_names):
            if not is_known(word) and not is_of_faces(word):
                yield line(word, 96)


def _words_of(element: xml.Element, name: str, *, has_given_names: bool) -> Iterator[str]:
    yield name
    is_given = has_given_names and name in ("Rule", "AnalyticsModule")
    for key, value in element.attrib.items():
        local = str(key).rpartition("}")[2]
        if local.lower() not in _ATTRIBUTES:
            yield local
        elif local in _NAMING and not (is_given and local == "Name"):
            yield str(value)[:256]
    if not _LOCATION.search(name):
        yield from filter(None, _SPLIT.split(xml.text_of(element, 4096)))
