# Compiles what Verilator wrote: make -f model.mk MODEL=Vtop PYTHON3=python3, in its folder. Needs g++, ar and Python.
# Verilator's own makefile refuses folders with blanks, and calls programs that need not be there.
CURDIR := .
include $(MODEL).mk

CXX  = g++
LINK = g++
AR   = ar
# The configuration of the pip package lacks it.
CFG_CXXFLAGS_PCH_I = -include

$(MODEL)__ALL.a: $(VK_OBJS)
	@rm -f $@
	$(AR) -rcs $@ $^
