"""The functions of LLVM that are called without llvmlite's help, and the IR that is written without it."""

from __future__ import annotations

import ctypes

import pytest

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")
from functorch_lite_numpy.compiler import engine, ir, mcjit, processor
from functorch_lite_numpy.compiler.image import Image
from functorch_lite_numpy.compiler.linking import load
from functorch_lite_numpy.compiler.llvm import DECLARATIONS, LLVMError


def kind(type):
    """What counts of a C type: how a call passes it."""
    if type is None or issubclass(type, (ctypes._Pointer, ctypes.c_void_p, ctypes.c_char_p)):
        return "pointer" if type is not None else None
    return type(0).__class__.__name__


@pytest.mark.parametrize("name", DECLARATIONS)
def test_declarations_are_those_of_llvmlite(name):
    from llvmlite import binding  # noqa: F401  (it declares them)
    from llvmlite.binding import ffi

    theirs = getattr(ffi.lib, f"LLVMPY_{name}")
    result, *arguments = DECLARATIONS[name]
    if theirs.argtypes is not None:
        assert [kind(t) for t in arguments] == [kind(t) for t in theirs.argtypes]
    if result is not None:
        assert kind(result) == kind(theirs.restype)


def test_wrong_ir_is_an_error():
    with pytest.raises(LLVMError, match="expected"):
        engine.machine_code("nonsense")


def test_types_are_the_same_objects():
    assert ir.VectorType(ir.IntType(8), 4) is ir.VectorType(ir.IntType(8), 4)
    assert str(ir.FunctionType(ir.VoidType(), [ir.PointerType()])) == "void (ptr)"


@pytest.mark.parametrize("value", [0.1, -0.0, float("inf"), float("nan"), 5e-324, 1.1754942e-38])
@pytest.mark.parametrize("type, c", [(ir.FloatType(), ctypes.c_float), (ir.DoubleType(), ctypes.c_double)])
def test_constants_keep_their_bits(type, c, value):
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(type, []), "constant")
    ir.IRBuilder(function.append_basic_block()).ret(ir.Constant(type, value))
    function.linkage = "external"
    library = load(engine.machine_code(str(module)))
    got = ctypes.CFUNCTYPE(c)(library.address("constant"))()
    assert bytes(c(got)) == bytes(c(value))


def test_bytes_are_escaped():
    data = bytes(range(256))
    module = ir.Module()
    type = ir.ArrayType(ir.IntType(8), len(data))
    variable = ir.GlobalVariable(module, type, "data")
    variable.initializer = ir.Constant(type, data)
    library = load(engine.machine_code(str(module)))
    assert ctypes.string_at(library.address("data"), len(data)) == data


def test_code_that_needs_what_is_nowhere_is_refused():
    """LLVM would load it, and a call would end the process."""
    text = "declare float @nowhere(float)\ndefine float @f(float %x) {\n %y = call float @nowhere(float %x)\n ret float %y\n}"
    with pytest.raises(LLVMError, match="nowhere"):
        load(engine.machine_code(text))
    other = "define float @nowhere(float %x) {\n ret float %x\n}"
    library = load(engine.machine_code(text), engine.machine_code(other))
    assert ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_float)(library.address("f"))(1.5) == 1.5


@pytest.mark.parametrize("loader", ["image", "mcjit"])
def test_code_data_and_zeros_are_brought_into_memory(loader):
    """By us, and by LLVM; alignment is kept, and an object may refer to what another one defines."""
    if loader == "image" and not processor.joins():
        pytest.skip("LLVM brings the code into memory here")
    load = Image if loader == "image" else mcjit.Library
    text = """
    @twos = internal constant [3 x i64] [i64 2, i64 2, i64 2], align 64
    @count = dso_local global i64 0
    @there = dso_local global ptr @twos
    declare i64 @other(i64)
    define i64 @f(i64 %x) {
      %n = load i64, ptr @count
      %more = add i64 %n, 1
      store i64 %more, ptr @count
      %p = load ptr, ptr @there
      %two = load i64, ptr %p
      %y = call i64 @other(i64 %x)
      %z = mul i64 %y, %two
      ret i64 %z
    }
    """
    other = "declare i64 @labs(i64)\ndefine i64 @other(i64 %x) {\n %y = call i64 @labs(i64 %x)\n ret i64 %y\n}"
    library = load(engine.machine_code(text), engine.machine_code(other))
    f = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(library.address("f"))
    assert [f(-3), f(4)] == [6, 8]
    assert ctypes.c_int64.from_address(library.address("count")).value == 2
    assert ctypes.c_void_p.from_address(library.address("there")).value % 64 == 0
    assert library.address("nobody") == 0


@pytest.mark.skipif(not processor.joins(), reason="LLVM brings the code into memory here")
def test_what_is_asked_of_the_system_s_table_is_refused() -> None:
    """There is none: what other modules define is said to be near."""
    text = "@far = external global i64\ndefine i64 @f() {\n %x = load i64, ptr @far\n ret i64 %x\n}"
    with pytest.raises(LLVMError, match="relocation of type"):
        load(engine.machine_code(text), engine.machine_code("@far = global i64 3"))


def test_what_llvm_is_given_is_checked_here() -> None:
    text = """define i64 @f(i1 %c) {
        br i1 %c, label %a, label %b
      a:
        %x = add i64 1, 2
        br label %b
      b:
        ret i64 %x
      }"""
    with pytest.raises(LLVMError, match="does not dominate"):
        engine.machine_code(text)
