"""JAX as the oracle: the same calls, there and here, give the same values, derivatives, shapes, dtypes and errors."""
