"""What to keep for the backward pass, under the names of `jax.ad_checkpoint`."""

from .transforms.checkpoint import checkpoint, checkpoint_name
from .transforms.checkpoint import policies as checkpoint_policies

remat = checkpoint

__all__ = ["checkpoint", "checkpoint_name", "checkpoint_policies", "remat"]
