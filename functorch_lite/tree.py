class T:
    def __init__(s,kind,keys,children): s.kind,s.keys,s.ch=kind,keys,children; s.h=hash((kind,keys,children))
    def children(s): return list(s.ch)
    @property
    def num_leaves(s): return 1 if s.kind is None else sum(c.num_leaves for c in s.ch)
    def __hash__(s): return s.h
    def __eq__(s,o): return s is o or (isinstance(o,T) and (s.kind,s.keys,s.ch)==(o.kind,o.keys,o.ch))
LEAF=T(None,(),())
def flatten(x,is_leaf=None):
    leaves=[]
    def go(x):
        if is_leaf and is_leaf(x): leaves.append(x); return LEAF
        t=type(x)
        if t is dict: ks=tuple(sorted(x)); return T(dict,ks,tuple(go(x[k]) for k in ks))
        if t in(list,tuple): return T(t,len(x),tuple(go(v) for v in x))
        if x is None: return T(type(None),(),())
        leaves.append(x); return LEAF
    return leaves, go(x)
def unflatten(t,leaves):
    it=iter(leaves)
    def go(t):
        if t is LEAF: return next(it)
        if t.kind is dict: return {k:go(c) for k,c in zip(t.keys,t.ch)}
        if t.kind is type(None): return None
        return t.kind([go(c) for c in t.ch])
    return go(t)
def flatten_up_to(t,x): return flatten(x)[0]
def broadcast_prefix(p,full,is_leaf=None):
    out=[]
    def go(p,f):
        if type(p) in(list,tuple) and not (is_leaf and is_leaf(p)):
            for a,b in zip(p,f): go(a,b)
        elif type(p) is dict:
            for k in sorted(p): go(p[k],f[k])
        else: out.extend([p]*len(flatten(f)[0]))
    go(p,full); return out
