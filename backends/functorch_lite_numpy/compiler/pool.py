"""The pool of threads, as LLVM IR: it runs in machine code alone, for users have no C compiler and Python's threads cannot overlap.

    void parallel_for(ptr function, ptr block, i64 pieces)      calls function(block, k) for each k below `pieces`

A *job* is published by writing `state` = (its number << 32 | the next piece). Whoever takes a piece counts `state` up by a
compare-and-swap, which fails if the job is no longer that one: so what was read of the job in between was right. The caller
works too; when no piece is left it waits for those still at work, never for threads that are yet to wake up. Before what is
known of a job is overwritten, `state` becomes that of a job without pieces: else a thread that is slow to leave the old one
might count a piece of the new one as the old one's. Threads look for the next job for a short while and then sleep. Who comes
while the pool has a job (another Python thread, or a piece itself) does all its pieces alone.

`run` counts the threads: -1 before the first job, the number of workers (callers not counted) from then on.
"""

from __future__ import annotations

from . import pool_blas

__all__ = ["FUNCTIONS", "MOST_THREADS", "pool_ir"]

FUNCTIONS = (
    "pthread_create",
    "pthread_join",
    "pthread_mutex_init",
    "pthread_mutex_lock",
    "pthread_mutex_unlock",
    "pthread_cond_init",
    "pthread_cond_wait",
    "pthread_cond_broadcast",
    "pthread_sigmask",
    "sigfillset",
    "sched_yield",
    "sched_getaffinity",
)
"""What is called of the C library; where it lacks `sched_getaffinity` that is null."""
MOST_THREADS = 256

_PAUSES = {"x86_64": ("llvm.x86.sse2.pause", "", ""), "aarch64": ("llvm.aarch64.hint", "i32", "i32 1")}
"""Processor -> the intrinsic that tells it of a waiting loop, its type, its operand."""
LOOKS_BEFORE_SLEEP = 5000
"""How often a thread without work looks for more: 50 to 200 microseconds."""
LOOKS_BEFORE_YIELD = 4000

_IR = """
@state = dso_local global i64 0, align 64
@done = dso_local global i64 0, align 64
@function = dso_local global ptr null, align 64
@block = dso_local global ptr null
@pieces = dso_local global i64 0
@busy = dso_local global i32 0, align 64
@sleepers = dso_local global i32 0
@stopping = dso_local global i32 0
@workers = dso_local global i64 -1
@wanted = dso_local global i64 1
@mutex = internal global [128 x i8] zeroinitializer, align 64
@cond = internal global [128 x i8] zeroinitializer, align 64
@handles = internal global [{most} x i64] zeroinitializer
{variables}

declare i64 @llvm.ctpop.i64(i64)
declare void @{pause}({pause_type})

; As many workers as the setting and the affinity mask allow, without the caller.
define internal i64 @allowed() {{
entry:
  %mask = alloca [16 x i64], align 8
  %wanted = load i64, ptr @wanted
  %get = load ptr, ptr @outside.sched_getaffinity
  %unknown = icmp eq ptr %get, null
  br i1 %unknown, label %all, label %ask
ask:
  call void @llvm.memset.p0.i64(ptr %mask, i8 0, i64 128, i1 false)
  %failed = call i32 %get(i32 0, i64 128, ptr %mask)
  %right = icmp eq i32 %failed, 0
  br i1 %right, label %count, label %all
count:
  %i = phi i64 [ 0, %ask ], [ %i.next, %count ]
  %sum = phi i64 [ 0, %ask ], [ %sum.next, %count ]
  %at = getelementptr i64, ptr %mask, i64 %i
  %word = load i64, ptr %at
  %bits = call i64 @llvm.ctpop.i64(i64 %word)
  %sum.next = add i64 %sum, %bits
  %i.next = add i64 %i, 1
  %more = icmp ult i64 %i.next, 16
  br i1 %more, label %count, label %counted
counted:
  %fewer = icmp ult i64 %sum.next, %wanted
  %n = select i1 %fewer, i64 %sum.next, i64 %wanted
  br label %leave
all:
  br label %leave
leave:
  %threads = phi i64 [ %n, %counted ], [ %wanted, %all ]
  %workers = sub i64 %threads, 1
  ret i64 %workers
}}
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

define internal i64 @start() {{
entry:
  %create = load ptr, ptr @outside.pthread_create
  %allowed = call i64 @allowed()
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %i.next, %next ]
  %more = icmp slt i64 %i, %allowed
  br i1 %more, label %next, label %leave
next:
  %handle = getelementptr i64, ptr @handles, i64 %i
  %failed = call i32 %create(ptr %handle, ptr null, ptr @worker, ptr null)
  %i.next = add i64 %i, 1
  %right = icmp eq i32 %failed, 0
  br i1 %right, label %head, label %leave
leave:
  store atomic i64 %i, ptr @workers seq_cst, align 8
  ret i64 %i
}}

; Do pieces of one job as long as there are any.
define internal void @take(i64 %job) {{
entry:
  br label %head
head:
  %now = load atomic i64, ptr @state acquire, align 8
  %number = lshr i64 %now, 32
  %same = icmp eq i64 %number, %job
  br i1 %same, label %look, label %leave
look:
  %function = load atomic ptr, ptr @function acquire, align 8
  %block = load atomic ptr, ptr @block acquire, align 8
  %pieces = load atomic i64, ptr @pieces acquire, align 8
  %piece = and i64 %now, 4294967295
  %left = icmp ult i64 %piece, %pieces
  br i1 %left, label %claim, label %leave
claim:
  %later = add i64 %now, 1
  %pair = cmpxchg ptr @state, i64 %now, i64 %later seq_cst seq_cst
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %work, label %head
work:
  call void %function(ptr %block, i64 %piece)
  %before = atomicrmw add ptr @done, i64 1 seq_cst
  br label %head
leave:
  ret void
}}

define internal ptr @worker(ptr %unused) {{
entry:
  %signals = alloca [128 x i8], align 16
  %fill = load ptr, ptr @outside.sigfillset
  %filled = call i32 %fill(ptr %signals)
  %mask = load ptr, ptr @outside.pthread_sigmask
  %masked = call i32 %mask(i32 {sig_block}, ptr %signals, ptr null)
  %lock = load ptr, ptr @outside.pthread_mutex_lock
  %unlock = load ptr, ptr @outside.pthread_mutex_unlock
  %wait = load ptr, ptr @outside.pthread_cond_wait
  br label %head
head:
  %seen = phi i64 [ -1, %entry ], [ %seen, %rest ], [ %job, %work ], [ %seen, %awake ]
  %looks = phi i64 [ 0, %entry ], [ %looks.next, %rest ], [ 0, %work ], [ 0, %awake ]
  %stop = load atomic i32, ptr @stopping monotonic, align 4
  %stopped = icmp ne i32 %stop, 0
  br i1 %stopped, label %leave, label %look
look:
  %now = load atomic i64, ptr @state acquire, align 8
  %job = lshr i64 %now, 32
  %old = icmp eq i64 %job, %seen
  br i1 %old, label %idle, label %work
work:
  call void @take(i64 %job)
  br label %head
idle:
  %tired = icmp ugt i64 %looks, {looks_before_sleep}
  br i1 %tired, label %bed, label %rest
rest:
  call void @{pause}({pause_operand})
  %looks.next = add i64 %looks, 1
  br label %head
bed:
  %locked = call i32 %lock(ptr @mutex)
  %in = atomicrmw add ptr @sleepers, i32 1 seq_cst
  br label %asleep
asleep:
  %now.asleep = load atomic i64, ptr @state seq_cst, align 8
  %job.asleep = lshr i64 %now.asleep, 32
  %still = icmp eq i64 %job.asleep, %seen
  %stop.asleep = load atomic i32, ptr @stopping seq_cst, align 4
  %on = icmp eq i32 %stop.asleep, 0
  %sleep = and i1 %still, %on
  br i1 %sleep, label %dream, label %awake
dream:
  %woken = call i32 %wait(ptr @cond, ptr @mutex)
  br label %asleep
awake:
  %out = atomicrmw sub ptr @sleepers, i32 1 seq_cst
  %unlocked = call i32 %unlock(ptr @mutex)
  br label %head
leave:
  ret ptr null
}}

; Having had the lock, it knows that who saw no job sleeps by now.
define internal void @wake() {{
entry:
  %lock = load ptr, ptr @outside.pthread_mutex_lock
  %unlock = load ptr, ptr @outside.pthread_mutex_unlock
  %broadcast = load ptr, ptr @outside.pthread_cond_broadcast
  %locked = call i32 %lock(ptr @mutex)
  %unlocked = call i32 %unlock(ptr @mutex)
  %sent = call i32 %broadcast(ptr @cond)
  ret void
}}

define dso_local void @parallel_for(ptr %function, ptr %block, i64 %pieces) {{
entry:
  %pair = cmpxchg ptr @busy, i32 0, i32 1 seq_cst seq_cst
  %mine = extractvalue {{ i32, i1 }} %pair, 1
  br i1 %mine, label %ready, label %alone
ready:
  %running = load i64, ptr @workers
  %fresh = icmp slt i64 %running, 0
  br i1 %fresh, label %first, label %go
first:
  %started = call i64 @start()
  br label %go
go:
  %workers = phi i64 [ %running, %ready ], [ %started, %first ]
  %none = icmp eq i64 %workers, 0
  br i1 %none, label %free, label %publish
free:
  store atomic i32 0, ptr @busy release, align 4
  br label %alone
publish:
  %last = load atomic i64, ptr @state monotonic, align 8
  %number = lshr i64 %last, 32
  %closed = add i64 %number, 1
  %closed.number = and i64 %closed, 4294967295
  %closed.high = shl i64 %closed.number, 32
  %closed.state = or i64 %closed.high, 4294967295
  %closing = atomicrmw xchg ptr @state, i64 %closed.state seq_cst
  store atomic ptr %function, ptr @function release, align 8
  store atomic ptr %block, ptr @block release, align 8
  store atomic i64 %pieces, ptr @pieces release, align 8
  store atomic i64 0, ptr @done release, align 8
  %following = add i64 %number, 2
  %job = and i64 %following, 4294967295
  %state = shl i64 %job, 32
  %swapped = atomicrmw xchg ptr @state, i64 %state seq_cst
  %sleepers = load atomic i32, ptr @sleepers seq_cst, align 4
  %anyone = icmp ne i32 %sleepers, 0
  br i1 %anyone, label %call, label %work
call:
  call void @wake()
  br label %work
work:
  call void @take(i64 %job)
  %yield = load ptr, ptr @outside.sched_yield
  br label %wait
wait:
  %looks = phi i64 [ 0, %work ], [ %looks.next, %again ]
  %done = load atomic i64, ptr @done acquire, align 8
  %over = icmp eq i64 %done, %pieces
  br i1 %over, label %finish, label %linger
linger:
  %looks.next = add i64 %looks, 1
  %long = icmp ugt i64 %looks, {looks_before_yield}
  br i1 %long, label %let, label %rest
let:
  %let.result = call i32 %yield()
  br label %again
rest:
  call void @{pause}({pause_operand})
  br label %again
again:
  br label %wait
finish:
  store atomic i32 0, ptr @busy release, align 4
  ret void

alone:
  %k = phi i64 [ 0, %entry ], [ 0, %free ], [ %k.next, %piece ]
  %more = icmp ult i64 %k, %pieces
  br i1 %more, label %piece, label %leave
piece:
  call void %function(ptr %block, i64 %k)
  %k.next = add i64 %k, 1
  br label %alone
leave:
  ret void
}}

; As at the start: at first, and in a forked child, in which there is one thread alone. Of a job that the parent was at, no piece is
; left for the child's workers to take.
define dso_local void @reset() {{
entry:
  store i64 -1, ptr @workers
  store i64 0, ptr @pieces
  store i32 0, ptr @busy
  store i32 0, ptr @sleepers
  store i32 0, ptr @stopping
  store i32 0, ptr @blas.lock
  %holders = load i32, ptr @blas.holders
  %held = icmp ne i32 %holders, 0
  br i1 %held, label %back, label %go_on
back:
  store i32 1, ptr @blas.holders
  call void @free_blas()
  br label %go_on
go_on:
  %mutex = load ptr, ptr @outside.pthread_mutex_init
  %unknown = icmp eq ptr %mutex, null
  br i1 %unknown, label %leave, label %make
make:
  %cond = load ptr, ptr @outside.pthread_cond_init
  %a = call i32 %mutex(ptr @mutex, ptr null)
  %b = call i32 %cond(ptr @cond, ptr null)
  br label %leave
leave:
  ret void
}}

; End the threads, once the job at hand is done; the next job starts as many as are then wanted.
define dso_local void @resize(i64 %wanted) {{
entry:
  %yield = load ptr, ptr @outside.sched_yield
  %join = load ptr, ptr @outside.pthread_join
  br label %try
try:
  %pair = cmpxchg ptr @busy, i32 0, i32 1 seq_cst seq_cst
  %mine = extractvalue {{ i32, i1 }} %pair, 1
  br i1 %mine, label %stop, label %let
let:
  %let.result = call i32 %yield()
  br label %try
stop:
  %workers = load i64, ptr @workers
  %any = icmp sgt i64 %workers, 0
  br i1 %any, label %end, label %finish
end:
  store atomic i32 1, ptr @stopping seq_cst, align 4
  call void @wake()
  br label %head
head:
  %i = phi i64 [ 0, %end ], [ %i.next, %next ]
  %more = icmp slt i64 %i, %workers
  br i1 %more, label %next, label %finish
next:
  %at = getelementptr i64, ptr @handles, i64 %i
  %handle = load i64, ptr %at
  %joined = call i32 %join(i64 %handle, ptr null)
  %i.next = add i64 %i, 1
  br label %head
finish:
  store atomic i32 0, ptr @stopping seq_cst, align 4
  store i64 %wanted, ptr @wanted
  store i64 -1, ptr @workers
  store atomic i32 0, ptr @busy seq_cst, align 4
  ret void
}}
"""


def pool_ir(processor: str, sig_block: int) -> str:
    """The pool's module.

    Args:
      processor: as in LLVM's triple.
      sig_block: the C library's SIG_BLOCK.
    """
    pause, type, operand = _PAUSES.get(processor, ("llvm.donothing", "", ""))
    return pool_blas.ir(pause, operand) + _IR.format(
        most=MOST_THREADS,
        variables="\n".join(f"@outside.{name} = dso_local global ptr null" for name in FUNCTIONS),
        pause=pause,
        pause_type=type,
        pause_operand=operand,
        sig_block=sig_block,
        looks_before_sleep=LOOKS_BEFORE_SLEEP,
        looks_before_yield=LOOKS_BEFORE_YIELD,
    )
