"""From TensorFlow to artifacts. Runs in an environment of its own, with the extra `models-tensorflow`."""
