"""From frames to detections: faces and whatever moves."""
