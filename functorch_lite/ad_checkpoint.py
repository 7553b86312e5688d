"""What to keep for the backward pass, under the names of `jax.ad_checkpoint`."""

from .transforms.checkpoint import checkpoint, checkpoint_name
from .transforms.checkpoint import policies as checkpoint_policies
from .transforms.residuals import print_saved_residuals, saved_residuals

remat = checkpoint

__all__ = ["checkpoint", "checkpoint_name", "checkpoint_policies", "print_saved_residuals", "remat", "saved_residuals"]
