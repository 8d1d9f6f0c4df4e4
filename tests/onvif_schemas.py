"""Judges answers of the ONVIF services by the schemas that ONVIF publishes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lxml import etree
from onvif.utils.wsdl import ONVIFWSDL

_SCHEMA = "{http://www.w3.org/2001/XMLSchema}schema"
_WSDLS = {
    "tds": "ver10/device/wsdl/devicemgmt.wsdl",
    "trt": "ver10/media/wsdl/media.wsdl",
    "tr2": "ver20/media/wsdl/media.wsdl",
    "tev": "ver10/events/wsdl/event.wsdl",
    "tptz": "ver20/ptz/wsdl/ptz.wsdl",
    "timg": "ver20/imaging/wsdl/imaging.wsdl",
    "tmd": "ver10/deviceio.wsdl",
    "tan": "ver20/analytics/wsdl/analytics.wsdl",
}


def schemas(folder: Path) -> Mapping[str, Any]:
    """A schema for each service, by prefix.

    libxml2 takes no content models that are not deterministic, as ONVIF's are where anything may follow: that anything is cut
    out, so that what we answer has to fit all the closer. And it loads one document of a namespace only.
    """
    root = folder / "wsdl"
    shutil.copytree(Path(ONVIFWSDL.BASE_DIR), root)
    for file in (*root.glob("ver*/**/*.xsd"), *root.glob("ver*/**/*.wsdl")):
        text = file.read_text("utf-8")
        text = re.sub(r'<xs:any [^>]*maxOccurs="unbounded"[^>]*(?:(?<=/)>|(?<!/)>.*?</xs:any>)', "", text, flags=re.S)
        file.write_text(text, "utf-8")
    both = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.onvif.org/ver10/schema">'
    names = ("onvif.xsd", "metadatastream.xsd")
    (root / "ver10/schema/both.xsd").write_text(both + "".join(f'<xs:include schemaLocation="{name}"/>' for name in names) + "</xs:schema>")
    found: dict[str, Any] = {}
    for prefix, path in _WSDLS.items():
        text = (root / path).read_text("utf-8").replace("ver10/schema/onvif.xsd", "ver10/schema/both.xsd")
        (root / path).write_text(text, "utf-8")
        schema = etree.parse(root / path).find(f".//{_SCHEMA}")
        # Its own document, which knows where it is.
        found[prefix] = etree.XMLSchema(etree.fromstring(etree.tostring(schema), base_url=str(root / path)))
    return found
