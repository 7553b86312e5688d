from ..promotion import as_operand as asarray, promote, promote_dtypes
from ..operators import *
from ..primitives import elementwise as e
from ..primitives.structural import reduce_sum, broadcast_in_dim
from ..primitives.contraction import dot_general
from ..operators import inexact
def u(p):
    def f(x): return p(inexact(asarray(x))[0])
    return f
sin,cos,exp,log,tanh,sqrt=map(u,(e.sin,e.cos,e.exp,e.log,e.tanh,e.sqrt))
import numpy as np
def ones(s): return asarray(np.ones(s,np.float32))
def arange(n): return asarray(np.arange(n,dtype=np.float32 if type(n) is float else np.int32))
def sum(x): x=asarray(x); return reduce_sum(x,axes=tuple(range(x.ndim)))
def dot(x,y): return dot_general(x,y,dimension_numbers=(((x.ndim-1,),(max(y.ndim-2,0),)),((),())))
def where(c,x,y):
    x,y=promote("where",x,y); return e.select(asarray(c),y,x)
def maximum(x,y):
    return e.max_(*promote("maximum",x,y))

def ones_like(x): return broadcast_in_dim(x.dtype.type(1),shape=x.shape,dims=())
