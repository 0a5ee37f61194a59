"""One rule for every name that the back ends write: C++, SystemVerilog, Tcl and file names."""

from __future__ import annotations

import re
from typing import Final

# ISO/IEC 14882:2020, [lex.key], with the alternative tokens and `main`.
_CPP: Final = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t class co_await
co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype default delete do
double dynamic_cast else enum explicit export extern false final float for friend goto if import inline int long main
module mutable namespace new noexcept not not_eq nullptr operator or or_eq override private protected public register
reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch template this
thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq
"""

# IEEE 1800-2017, annex B.
_SYSTEMVERILOG: Final = """
accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before begin bind bins
binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos config const
constraint context continue cover covergroup coverpoint cross deassign default defparam design disable dist do edge
else end endcase endchecker endclass endclocking endconfig endfunction endgenerate endgroup endinterface endmodule
endpackage endprimitive endprogram endproperty endspecify endsequence endtable endtask enum event eventually expect
export extends extern final first_match for force foreach forever fork forkjoin function generate genvar global highz0
highz1 if iff ifnone ignore_bins illegal_bins implements implies import incdir include initial inout input inside
instance int integer interconnect interface intersect join join_any join_none large let liblist library local
localparam logic longint macromodule matches medium modport module nand negedge nettype new nexttime nmos nor
noshowcancelled not notif0 notif1 null or output package packed parameter pmos posedge primitive priority program
property protected pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase
randsequence rcmos real realtime ref reg reject_on release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1
s_always s_eventually s_nexttime s_until s_until_with scalared sequence shortint shortreal showcancelled signed small
soft solve specify specparam static string strong strong0 strong1 struct super supply0 supply1 sync_accept_on
sync_reject_on table tagged task this throughout time timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand
trior trireg type typedef union unique unique0 unsigned until until_with untyped use uwire var vectored virtual void
wait wait_order wand weak weak0 weak1 while wildcard wire with within wor xnor xor
"""

# Device names that Windows refuses as file names, with any suffix.
_FILES: Final = "aux com1 com2 com3 com4 con lpt1 lpt2 lpt3 lpt4 nul prn"

RESERVED: Final = frozenset(f"{_CPP} {_SYSTEMVERILOG} {_FILES}".split())


#: Begins the name of every module of the SystemVerilog library, so that none is called like one of the user's.
PREFIX: Final = "headrace_"


def module_name(kind: str) -> str:
    """The SystemVerilog module of a kind of layer; its file has the same name.

    >>> module_name("fork")
    'headrace_fork'
    """
    return f"{PREFIX}{kind}"


def identifier(text: str) -> str:
    """`text` as an identifier that is legal, and no keyword, in C++, SystemVerilog, Tcl and as a file name.

    Whatever is not an ASCII letter or digit becomes an underscore; runs of them become one, because C++ reserves
    double underscores. Legal names are left alone. Two texts may give one name: who needs them apart must check.

    >>> [identifier(t) for t in ("conv0", "layer1.0/conv", "2nd", "module", "")]
    ['conv0', 'layer1_0_conv', 'n2nd', 'module_n', 'n']
    """
    name = re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_")
    if not name or name[0].isdigit():
        name = f"n{name}"
    return f"{name}_n" if name.lower() in RESERVED else name
