"""The learners: text classifier and entity recognizer, their features, calibration and files."""
