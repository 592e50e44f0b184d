"""From PyTorch modules to train and inference artifacts. Needs the extra `models-torch`, the catalogue excepted."""
