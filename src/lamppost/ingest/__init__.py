"""From a camera to packets: RTSP, files and the simulated street."""
