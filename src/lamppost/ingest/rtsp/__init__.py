"""Speaks RTSP with cameras: requests, sign-in, and the way from RTP packets back to pictures.

What reads bytes here knows no socket; `stream.py` alone holds the connection.
"""
