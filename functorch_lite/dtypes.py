import numpy as np, ml_dtypes
bool_=np.dtype(bool); int32=np.dtype('int32'); float32=np.dtype('float32'); complex64=np.dtype('complex64'); float64=np.dtype('float64'); int64=np.dtype('int64')
float0=np.dtype([('float0', np.void, 0)])
bfloat16=np.dtype(ml_dtypes.bfloat16)
def defaults(): return (float32,int32,complex64)
def as_dtype(x): return np.dtype(x)
def is_bool(d): return d.kind=='b'
def is_integer(d): return d.kind in 'iu'
def is_floating(d): return d.kind=='f' or d==bfloat16
def is_complex(d): return d.kind=='c'
def is_inexact(d): return d.kind in 'fc' or d==bfloat16
def is_supported(d): return True
def accumulator_dtype(d): return float32 if d.itemsize==2 and is_floating(d) else d
def tangent_dtype(d): return d if is_inexact(d) else float0
def short_name(d): return {'float32':'f32','int32':'i32','bool':'bool','float64':'f64'}.get(d.name,d.name)
def real_dtype(d): return np.empty(0,d).real.dtype
def complex_dtype(d): return np.result_type(d,np.complex64)
def to_inexact(d): return d if is_inexact(d) else float32
def promote_types(a,b): return np.promote_types(a,b)
def scalar_type_of(x):
    if isinstance(x,np.generic): return x.dtype,False
    return {bool:(bool_,False),int:(int32,True),float:(float32,True),complex:(complex64,True)}[type(x)]
def scalar_operand(x):
    if isinstance(x,np.generic): return x.dtype, x.dtype.itemsize>=8
    return scalar_type_of(x)
def lattice_result(pairs):
    strong=[d for d,w in pairs if not w] 
    k='biufc'
    if strong:
        r=strong[0]
        for d in strong[1:]: r=np.promote_types(r,d) if d!=r else r
        for d,w in pairs:
            if w and k.index(d.kind)>k.index(r.kind) and not (r.kind=='u' and d.kind=='i'): r=d
        return r,False
    return max((d for d,_ in pairs),key=lambda d:k.index(d.kind)),True
