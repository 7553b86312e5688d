"""Making, moving and indexing elements; updates by index."""

from .harness import FLOATS, KINDS, NARROW, REALS, calls, distinct, index, mask, normal, suite

CREATION = calls(FLOATS, """
    np.zeros((2, 3))
    np.zeros(3, dtype=bool)
    np.ones((2,), 'int8')
    np.empty((0, 3)).shape
    np.full((2, 2), 7)
    np.full((2, 2), 7.5)
    np.full((2,), 1, 'float16')
    np.zeros_like(x, dtype='int32')
    np.ones_like(x, shape=(5,))
    np.full_like(x, 2)
    np.full_like(np.arange(3), 2.5, dtype='float32')
    np.eye(3)
    np.eye(2, 4, k=1, dtype='int32')
    np.identity(3, dtype=bool)
    np.tri(3, 4, k=-1)
    np.arange(5)
    np.arange(2, 9, 3)
    np.arange(5.0)
    np.arange(0, 1, 0.25)
    np.arange(5, dtype='float16')
    np.arange(9, 0, -2)
    np.linspace(0, 1, 5)
    np.linspace(0, 10, 4, endpoint=False)
    np.linspace(1, 2, 3, retstep=True)
    np.linspace(0, 9, 4, dtype='int32')
    np.linspace(x, x + 1, 3, axis=1)
    np.logspace(0, 2, 5)
    np.logspace(0, 3, 4, base=2.0)
    np.geomspace(1, 100, 3)
    np.meshgrid(np.arange(3), np.arange(2))
    np.meshgrid(np.arange(3), np.arange(2), indexing='ij', sparse=True)
    np.indices((2, 3))
    np.indices((2, 3), sparse=True)
    np.ix_(np.arange(2), np.arange(3))
    np.diag_indices(3)
    np.tril_indices(3, k=1)
    np.triu_indices(3, m=4)
    np.tril_indices_from(x)
    np.unravel_index(np.arange(4), (2, 3))
    np.ravel_multi_index((np.array([0, 1]), np.array([2, 1])), (2, 3), mode='clip')
    np.array(3)
    np.array(3.5)
    np.array(1 + 2j)
    np.array(True)
    np.array([1, 2.5])
    np.array([1, True])
    np.array([[1, 2], [3, 4]], dtype='float16')
    np.array([x[0, 0], 1.0])
    np.array([x, x])
    np.array(x, ndmin=4)
    np.array([])
    np.asarray(2, dtype='int8')
    np.bartlett(5)
    np.blackman(5)
    np.hamming(5)
    np.hanning(5)
    np.kaiser(5, 3.0)
    np.fromfunction(lambda i, j: i + 2 * j, (2, 3))
    np.frombuffer(b'abcd', dtype='uint8')
    np.vander(np.arange(3), 4)
    np.diagflat(np.arange(3), 1)
    np.ones(2, dtype=complex)
    np.ones(2, dtype=float)
    np.ones(2, dtype=int)
    np.iinfo('int8').max
    np.promote_types('int8', 'uint8') == 'int16'
    lax.full((2, 3), 1.5)
    lax.full((2,), 1, np.float32)
    lax.full_like(x, 4)
    lax.full_like(x, 4, np.int32, (2,))
    lax.iota(np.int32, 4)
    lax.iota(np.float32, 3)
    lax.broadcasted_iota(np.int32, (2, 3), 1)
    np.zeros((2, -1))
    np.arange()
    np.ones('a')
    np.full((2,), [1, 2, 3])
    np.eye(-1)
    np.array([[1], [1, 2]])
    np.array('a')
    np.linspace(0, 1, -1)
    np.zeros(2, dtype='nonsense')
""", x=normal(3, 4), factor=2)  # fmt: skip

MANIPULATION = calls(KINDS, """
    np.reshape(x, (4, 6))
    np.reshape(x, -1)
    np.reshape(x, (3, -1), order='F')
    x.reshape(2, -1)
    x.reshape((4, 3, 2))
    np.ravel(x, order='F')
    x.flatten()
    np.transpose(x)
    np.transpose(x, (1, 0, -1))
    x.transpose(2, 0, 1)
    np.permute_dims(x, (1, 2, 0))
    np.matrix_transpose(x)
    x.mT
    np.moveaxis(x, 0, -1)
    np.moveaxis(x, (0, 1), (-1, 0))
    np.swapaxes(x, 0, 2)
    np.rollaxis(x, 2)
    np.expand_dims(x, (0, -1))
    np.squeeze(x[:, :1])
    np.squeeze(x[:1], axis=0)
    np.broadcast_to(x, (2, 2, 3, 4))
    np.broadcast_arrays(x, x[0, 0], 1)
    np.concatenate([x, x], axis=1)
    np.concatenate([x, x], axis=None)
    np.concatenate([x, np.ones((2, 3, 1), 'int8')], axis=-1)
    np.concatenate([x, x], dtype='float16') if x.dtype.kind != 'c' else x
    np.stack([x, x], axis=1)
    np.stack([x, x], axis=-1)
    np.hstack([x, x])
    np.vstack([x, x])
    np.dstack([x, x])
    np.column_stack([x[0, 0], x[1, 0]])
    np.block([[x[0], x[0]], [x[1], x[1]]])
    np.append(x, x)
    np.append(x, x, axis=0)
    np.split(x, 2, axis=2)
    np.split(x, [1, 3], axis=-1)
    np.array_split(x, 3, axis=2)
    np.hsplit(x, 3)
    np.vsplit(x, 2)
    np.dsplit(x, 2)
    np.unstack(x, axis=1)
    np.tile(x, 2)
    np.tile(x, (2, 1, 3))
    np.repeat(x, 2)
    np.repeat(x, 3, axis=1)
    np.repeat(x, np.array([1, 2]), axis=0, total_repeat_length=3)
    np.flip(x)
    np.flip(x, (0, 2))
    np.fliplr(x)
    np.flipud(x)
    np.rot90(x)
    np.rot90(x, k=3, axes=(1, 2))
    np.roll(x, 1)
    np.roll(x, 2, axis=1)
    np.roll(x, (1, -1), axis=(0, 2))
    np.pad(x, 1)
    np.pad(x, ((0, 1), (1, 0), (2, 2)), constant_values=3)
    np.pad(x, ((1, 1), (2, 0), (0, 2)), mode='edge')
    np.pad(x, ((1, 1), (2, 0), (0, 2)), mode='reflect')
    np.pad(x, ((1, 1), (2, 0), (0, 2)), mode='symmetric')
    np.pad(x, ((1, 1), (2, 0), (0, 2)), mode='wrap')
    np.pad(x, ((0, 0), (0, 0), (1, 2)), mode='maximum') if x.dtype.kind in 'if' else x
    np.pad(x, ((0, 0), (0, 0), (1, 2)), mode='mean') if x.dtype.kind == 'f' else x
    np.pad(x, ((0, 0), (0, 0), (1, 2)), mode='linear_ramp') if x.dtype.kind == 'f' else x
    np.delete(x, 1, axis=1)
    np.delete(x, np.array([0, 2]), axis=2, assume_unique_indices=True)
    np.insert(x, 1, 0, axis=1)
    np.insert(x[0, 0], np.array([0, 2]), x[0, 0, :2])
    np.resize(x, (5, 3))
    np.atleast_1d(x[0, 0, 0])
    np.atleast_2d(x[0, 0])
    np.atleast_3d(x[0])
    np.diag(x[0])
    np.diag(x[0, 0], k=1)
    np.diagonal(x)
    np.diagonal(x, offset=1, axis1=1, axis2=2)
    np.trace(x)
    np.trace(x, offset=-1, axis1=1, axis2=2)
    np.tril(x)
    np.triu(x, k=1)
    np.fill_diagonal(x[0], 1, inplace=False)
    np.take(x, 1, axis=1)
    np.take(x, np.array([0, 2]), axis=1)
    np.take(x, np.array([0, 30]), mode='clip')
    np.take(x, np.array([0, 5]), axis=2, mode='wrap')
    np.take_along_axis(x, i, axis=1)
    np.put(x, np.array([1, 5]), 1, inplace=False)
    np.place(x, m, np.array([1, 2]), inplace=False)
    np.choose(i[0] % 2, [x[0, :1], x[1, :1]], mode='wrap')
    np.apply_along_axis(lambda v: v[:2], 2, x)
    np.apply_over_axes(np.sum, x, [0, 2])
    np.copy(x)
    np.astype(x, 'float16') if x.dtype.kind != 'c' else x
    np.ndim(x)
    np.size(x, 1)
    np.shape(x)
    lax.reshape(x, (4, 6))
    lax.reshape(x, (4, 6), (2, 0, 1))
    lax.transpose(x, (2, 0, 1))
    lax.broadcast(x, (2, 1))
    lax.broadcast_in_dim(x, (2, 5, 3, 4), (0, 2, 3))
    lax.expand_dims(x, (0, 2))
    lax.squeeze(x[:, :1], (1,))
    lax.concatenate([x, x], 1)
    lax.pad(x, np.zeros((), x.dtype), [(1, 0, 0), (0, 2, 1), (-1, 1, 0)])
    lax.rev(x, (0, 2))
    lax.slice(x, (0, 1, 0), (2, 3, 4), (1, 1, 2))
    lax.slice_in_dim(x, 0, 3, 2, axis=2)
    lax.index_in_dim(x, -1, axis=1, keepdims=False)
    lax.dynamic_slice(x, (0, 1, 2), (1, 2, 2))
    lax.dynamic_slice(x, (0, 5, -1), (1, 2, 2))
    lax.dynamic_slice_in_dim(x, i[0, 0, 0], 2, axis=2)
    lax.dynamic_index_in_dim(x, i[0, 0, 0], axis=1)
    lax.dynamic_update_slice(x, x[:1, :2, :2], (1, 1, 2))
    lax.dynamic_update_slice_in_dim(x, x[:, :1], 2, axis=1)
    lax.dynamic_update_index_in_dim(x, x[:, 0], i[0, 0, 0], axis=1)
    lax.select(m, x, x[::-1])
    lax.split(x, (1, 3), axis=2)
    lax.collapse(x, 1)
    lax.tile(x, (1, 2, 1))
""", x=distinct(2, 3, 4), i=index(3, 2, 1, 4), m=mask(2, 3, 4))  # fmt: skip

INDEXING = calls("int32 float32", """
    x[1]
    x[-1]
    x[1:, ::2]
    x[::-1, :, 1:3]
    x[..., 0]
    x[None, :, None]
    x[0, ..., None]
    x[()]
    x[i]
    x[i, i]
    x[:, i]
    x[i, :, i]
    x[:, j]
    x[j[:, :1], i] if False else x[i[:, :, None], j[:2]]
    x[..., i]
    x[i, 1:, None]
    x[i[0]]
    x[0, i]
    x[np.array(1)]
    x[True]
    x[None, i, None, 1]
    x[:, np.newaxis, i[:, None], j]
    x[[0, 1]] if False else x[np.array([0, 1])]
    x[-i]
    x[1, 2, 3]
    x[:0]
    x[5:]
    x[2:0:-1]
    x.take(i, axis=1)
    x.at[i].get()
    x.at[i + 1, 2].get(mode='clip')
    x.at[i + 1].get(mode='fill', fill_value=7)
    x.at[i + 1].get(mode='drop', fill_value=3)
    x.at[i + 1].get(mode='wrap')
    x.at[:, k].get(mode='promise_in_bounds')
    x.at[0].set(1)
    x.at[1, 2].set(y)
    x.at[:, 1].set(y)
    x.at[..., 0].add(1)
    x.at[1:, ::2].multiply(2)
    x.at[k].add(y)
    x.at[:, k].add(y)
    x.at[:, j].add(x[:, :2] * 2)
    x.at[i, j].add(y)
    x.at[i, j].min(0)
    x.at[i, j].max(y)
    x.at[0, :, i].multiply(2)
    x.at[i, j].subtract(y)
    x.at[i + 1].add(1, mode='drop')
    x.at[i + 1].add(1, mode='clip')
    x.at[i + 5].add(1, mode='wrap')
    x.at[i + 1, 1].set(0, mode='drop')
    x.at[k, 1].set(y, unique_indices=True)
    x.at[k].mul(3, indices_are_sorted=True)
    x.at[::-1].set(x)
    x.at[None].set(1)
    x.at[1, 1].apply(lambda v: v * v)
    np.where(x.at[0].set(0) > 1, x, 0)
    x[1, 2, 3, 4]
    x['a']
    x[1.5]
    x[..., ...]
    x.at[0].set(np.ones(9))
    x.at[0, 0].add(y, mode='other')
    x[np.array([1.0])]
    x[m[0, 0]]
""", x=distinct(2, 3, 4), i=index(2, 2), j=index(3, 2), k=lambda r, d: __import__("numpy").array([1, 0], "int32"),
    y=normal(4), m=mask(2, 3, 4))  # fmt: skip

MORE = [
    *calls(f"bool complex64 {NARROW}", """
        x[i, 1:]
        x.at[i].set(x[0])
        x.at[i].add(x[0])
        x.at[:, 1].multiply(x[:, 0])
        np.roll(x, 1, axis=1)
        np.pad(x, 1, mode='edge')
        np.concatenate([x, x])
        np.take(x, i, axis=1)
        np.tile(x, (2, 2))
    """, x=normal(2, 3, 4), i=index(2, 3)),
    *calls(REALS, """
        np.put_along_axis(x, i, 1, axis=1, inplace=False)
        x.at[j].max(x[:1])
        x.at[j].min(1)
    """, x=normal(2, 3, 4), i=index(3, 2, 1, 4), j=index(2, 3)),
    *calls(REALS, """
        x.at[x > 0].set(0)
        x.at[x > 0].add(1)
        x[x > 0]
    """, x=normal(2, 3, 4), concrete=True, derivatives=False),
    *calls("int8 float16", "x.at[1].power(2)", x=normal(3, 2)),
    *calls(FLOATS, "x.at[i].divide(2)", x=normal(3, 2), i=index(3, 2)),
    *calls(REALS, """
        np.reshape(x, (5, 5))
        np.reshape(x, (-1, -1))
        np.transpose(x, (0, 0, 1))
        np.transpose(x, (0, 1))
        np.moveaxis(x, 0, 7)
        np.expand_dims(x, 9)
        np.squeeze(x, axis=1)
        np.broadcast_to(x, (3, 4, 5))
        np.concatenate([x, x[0]])
        np.concatenate([x, x[:, :1]], axis=0)
        np.concatenate([])
        np.stack([x, x[0]])
        np.split(x, 5)
        np.tile(x, 'a')
        np.flip(x, 4)
        np.roll(x, 1, axis=3)
        np.pad(x, ((1, 1), (1, 1)))
        np.pad(x, 1, mode='other')
        np.diag(x)
        np.block([[x, 1], 2])
        np.rot90(x, axes=(0, 0))
        np.ones((2, -1))
        np.repeat(x, np.array([1, 2, 3]), axis=0, total_repeat_length=3)
        lax.reshape(x, (5, 5))
        lax.transpose(x, (0, 1))
        lax.broadcast_in_dim(x, (2, 3), (0, 1, 2))
        lax.broadcast_in_dim(x, (2, 3, 5), (0, 1, 2))
        lax.concatenate([x, x[0]], 0)
        lax.concatenate([x, x], 4)
        lax.pad(x, 1j, [(1, 0, 0)] * 3)
        lax.pad(x, np.zeros((), x.dtype), [(1, 0, 0)] * 2)
        lax.slice(x, (0, 0, 0), (9, 1, 1))
        lax.slice(x, (0, 0), (1, 1))
        lax.dynamic_slice(x, (0, 0), (1, 1))
        lax.dynamic_slice(x, (0, 0, 0), (9, 1, 1))
        lax.dynamic_update_slice(x, x[0], (0, 0, 0))
        lax.rev(x, (5,))
        lax.squeeze(x, (0,))
        lax.expand_dims(x, (9,))
    """, x=normal(2, 3, 4)),
]  # fmt: skip
test_arrays = suite([*CREATION, *MANIPULATION, *INDEXING, *MORE])
