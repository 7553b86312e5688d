"""Products of matrices and tensors, convolutions, windows, gathering and scattering."""

from .harness import FLOATS, INEXACT, KINDS, calls, distinct, index, normal, of, suite

PRODUCTS = [
    *calls(f"{KINDS} float16 bfloat16", """
        np.matmul(x, y)
        np.dot(x, y)
        np.einsum('ij,jk->ik', x, y)
        np.tensordot(x, y, 1)
        np.inner(x, x)
    """, x=normal(3, 4), y=normal(4, 2), factor=2),
    *calls("int8 int32 float16 bfloat16 float32 complex64", "lax.dot(x, y)", x=normal(3, 4), y=normal(4, 2)),
    *calls(KINDS, """
        np.matmul(a, b)
        np.matmul(a, b[0])
        np.matmul(a[0, 0], b[0])
        np.matmul(a[0], b[0, :, 0])
        np.dot(a, b)
        np.dot(a, 2)
        np.vdot(a, a)
        np.inner(a, b[0, :, 0])
        np.outer(a[0], b[0])
        np.cross(a[:, :, :3], a[::-1, :, :3])
        np.cross(a[0, :, :2], a[1, :, :2])
        np.tensordot(a, b, axes=([2], [1]))
        np.tensordot(a, b, axes=((0, 2), (0, 1)))
        np.tensordot(a, a, axes=0)
        np.vecdot(a, a)
        np.matvec(a, b[0, :, 0])
        np.vecmat(b[0, :, 0], b)
        np.linalg.multi_dot([a[0], b[0], a[0]])
        np.einsum('bij,bjk->bik', a, b)
        np.einsum('bij,bjk', a, b)
        np.einsum('...ij,...jk->...ik', a, b)
        np.einsum('bij->b', a)
        np.einsum('bij->jib', a)
        np.einsum('bij,bij->', a, a)
        np.einsum('bij,bij->bij', a, a)
        np.einsum('bij,j->bi', a, b[0, :, 0])
        np.einsum('i,j->ij', a[0, 0], b[0, 0])
        np.einsum('ii->i', a[0, :, :3])
        np.einsum('ii', a[0, :, :3])
        np.einsum('bij,bjk,bkl->bil', a, b, a[:, :2])
        np.einsum('ij,kj,lj->ikl', a[0], a[1], a[0])
        np.einsum(a, [0, 1, 2], b, [0, 2, 3], [0, 1, 3])
        np.einsum('bij,bjk->ik', a, b, optimize='greedy')
        np.einsum('bij,ckl->bc', a, b)
        np.einsum('b...,b...->...', a, a)
    """, a=normal(2, 3, 4), b=normal(2, 4, 2), factor=2),
    *calls("int32 float32 complex64", """
        np.kron(a[0], b[0])
        lax.dot_general(a, b, (((2,), (1,)), ((0,), (0,))))
        lax.dot_general(a, b, (((2,), (1,)), ((), ())))
        lax.dot_general(a, a, (((0, 2), (0, 2)), ((1,), (1,))))
        lax.dot_general(a, b, (((), ()), ((), ())))
        lax.dot(a[0], b[0])
        lax.dot(a[0], b[0, :, 0])
        lax.batch_matmul(a, b)
    """, a=normal(2, 3, 4), b=normal(2, 4, 2), factor=2),
    *calls("int8 float16 bfloat16 float32", """
        np.matmul(x, y, preferred_element_type='float32')
        np.dot(x, y, precision='highest')
        lax.dot_general(x, y, (((1,), (0,)), ((), ())), preferred_element_type=np.float32)
        np.einsum('ij,jk->ik', x, y, preferred_element_type='float32')
        np.tensordot(x, y, 1, precision='high', preferred_element_type='float32')
        np.einsum('ij,jk->ik', x, z)
        np.matmul(x, z)
    """, x=normal(3, 4), y=normal(4, 2), z=of("float32", normal(4, 2)), factor=2),
    *calls(FLOATS, """
        np.matmul(x, x)
        np.matmul(x, 3)
        np.dot(x, x)
        np.einsum('ij,jk', x, x)
        np.einsum('ijk', x)
        np.einsum('ij->ii', x)
        np.einsum('ij->k', x)
        np.tensordot(x, x, axes=1)
        np.tensordot(x, x, axes=((0,), (1,)))
        np.inner(x, x.T)
        np.cross(x, x)
        np.vdot(x, x[0])
        lax.dot(x, x)
        lax.dot_general(x, x, (((1,), (0,)), ((), ())))
        lax.dot_general(x, x, (((7,), (0,)), ((), ())))
        np.outer(x)
    """, x=normal(3, 4)),
]  # fmt: skip

IS_INT = "x.dtype.kind == 'i'"
NHWC = "dimension_numbers=('NHWC', 'HWIO', 'NHWC')"
NCHW = "dimension_numbers=('NCHW', 'OIHW', 'NCHW')"
CONVOLUTIONS = [
    *calls(INEXACT, f"""
        lax.conv_general_dilated(x, w, (1, 1), 'VALID')
        lax.conv_general_dilated(x, w, (1, 1), 'SAME')
        lax.conv_general_dilated(x, w, (2, 1), 'SAME')
        lax.conv_general_dilated(x, w, (2, 3), [(1, 2), (0, 1)])
        lax.conv_general_dilated(x, w, (1, 1), [(-1, 2), (0, -1)])
        lax.conv_general_dilated(x, w, (1, 1), 'VALID', rhs_dilation=(2, 1))
        lax.conv_general_dilated(x, w, (1, 1), [(1, 1), (1, 1)], lhs_dilation=(2, 2))
        lax.conv_general_dilated(x, w, (2, 1), [(1, 1), (2, 1)], lhs_dilation=(1, 2), rhs_dilation=(2, 1))
        lax.conv_general_dilated(x, w, (1, 1), 'VALID', {NCHW})
        lax.conv_general_dilated(xt, wt, (1, 1), 'SAME', {NHWC})
        lax.conv_general_dilated(x, wt, (1, 2), 'VALID', dimension_numbers=('NCHW', 'HWIO', 'NHWC'))
        lax.conv_general_dilated(x, g, (1, 1), 'VALID', feature_group_count=2)
        lax.conv_general_dilated(x, d, (1, 1), 'SAME', feature_group_count=4)
        lax.conv_general_dilated(x, w, (1, 1), 'VALID', batch_group_count=2)
        lax.conv(x, w, (1, 1), 'SAME')
        lax.conv_with_general_padding(x, w, (1, 1), [(1, 0), (0, 1)], (1, 1), (1, 1))
        lax.conv_transpose(xt, wt, (2, 2), 'SAME')
        lax.conv_transpose(xt, wt, (2, 1), 'VALID')
        lax.conv_transpose(xt, wt, (2, 1), ((1, 0), (0, 1)), use_consistent_padding=True)
        lax.conv_transpose(xt, wt, (2, 1), 'SAME', use_consistent_padding=True)
        lax.conv_general_dilated(x[:, :, 0], w[:, :, 0], (1,), 'SAME')
        lax.conv_general_dilated(x[:, :, 0], w[:, :, 0], (2,), [(2, 1)], rhs_dilation=(2,))
        lax.conv_general_dilated(x[..., None], w[..., None], (1, 2, 1), 'SAME')
        lax.conv_general_dilated(x, w, (1, 1), 'VALID', precision='highest')
        lax.conv_general_dilated(x, w, (1,), 'VALID')
        lax.conv_general_dilated(x, w[:, :3], (1, 1), 'VALID')
        lax.conv_general_dilated(x, w, (1, 1), 'OTHER')
        lax.conv_general_dilated(x, w, (1, 1), 'VALID', feature_group_count=3)
        lax.conv_general_dilated(x, w[0], (1, 1), 'VALID')
    """, x=normal(2, 4, 5, 6), xt=normal(2, 5, 6, 4), wt=normal(3, 2, 4, 2), w=normal(2, 4, 3, 2),
        g=normal(4, 2, 2, 2), d=normal(8, 1, 2, 2), factor=4),
    *calls("float16 bfloat16 int32", """
        lax.conv_general_dilated(x, w, (1, 1), 'VALID')
        lax.conv_general_dilated(x, w, (1, 1), 'SAME', preferred_element_type=np.float32)
    """, x=normal(2, 4, 5, 6), w=normal(2, 4, 3, 2), factor=4),
    *calls("int32 float32", """
        lax.reduce_window(x, zero(x), lax.add, (1, 2, 2), (1, 1, 1), 'VALID')
        lax.reduce_window(x, zero(x), lax.add, (1, 3, 2), (1, 2, 1), 'SAME')
        lax.reduce_window(x, lo(x), lax.max, (1, 2, 2), (1, 2, 2), 'VALID')
        lax.reduce_window(x, lo(x), lax.max, (2, 3, 2), (1, 1, 2), 'SAME')
        lax.reduce_window(x, lo(x), lax.max, (1, 2, 2), (1, 1, 1), [(0, 0), (1, 0), (2, 1)])
        lax.reduce_window(x, hi(x), lax.min, (1, 2, 2), (1, 2, 1), 'VALID', None, (1, 1, 2))
        lax.reduce_window(x, zero(x), lax.add, (1, 2, 2), (1, 1, 1), 'VALID', (1, 2, 1), (1, 1, 2))
        lax.reduce_window(x, 1 if x.dtype.kind == 'i' else 1.0, lax.mul, (1, 2, 2), (1, 1, 1), 'VALID')
    """.replace("zero(x)", f"(0 if {IS_INT} else 0.0)")
      .replace("lo(x)", f"(np.iinfo(x.dtype).min if {IS_INT} else -np.inf)")
      .replace("hi(x)", f"(np.iinfo(x.dtype).max if {IS_INT} else np.inf)"), x=distinct(2, 5, 4)),
]  # fmt: skip

NUMBERS = "lax.GatherDimensionNumbers(offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,))"
WHOLE = "lax.GatherDimensionNumbers(offset_dims=(1, 2), collapsed_slice_dims=(), start_index_map=(0, 1))"
SCATTER = (
    "lax.ScatterDimensionNumbers(update_window_dims=(1,), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))"
)
GATHERING = [
    *calls("int32 float32 complex64", f"""
        lax.gather(x, i, {NUMBERS}, (1, 4))
        lax.gather(x, i, {NUMBERS}, (1, 2))
        lax.gather(x, i + 3, {NUMBERS}, (1, 4), mode='clip')
        lax.gather(x, i + 3, {NUMBERS}, (1, 4), mode='fill', fill_value=7)
        lax.gather(x, i, {NUMBERS}, (1, 4), mode='promise_in_bounds')
        lax.gather(x, i + 3, {NUMBERS}, (1, 4), mode=lax.GatherScatterMode.CLIP)
        lax.gather(x, np.concatenate([i, i], axis=1), {WHOLE}, (2, 3), mode='clip')
        lax.scatter(x, i[:2], u, {SCATTER}, unique_indices=True)
        lax.scatter_add(x, i, v, {SCATTER})
        lax.scatter_add(x, i + 3, v, {SCATTER}, mode='drop')
        lax.scatter_add(x, i + 3, v, {SCATTER}, mode='clip')
        lax.scatter_mul(x, i[:1], u[:1], {SCATTER}, unique_indices=True)
        lax.scatter_min(x, i, v, {SCATTER})
        lax.scatter_max(x, i, v, {SCATTER})
        lax.scatter_sub(x, i, v, {SCATTER})
    """, x=normal(5, 4), i=index(5, 3, 1), u=normal(2, 4), v=normal(3, 4)),
]  # fmt: skip
test_contractions = suite([*PRODUCTS, *CONVOLUTIONS, *GATHERING])
