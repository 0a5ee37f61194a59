# Compiles what Verilator wrote: make -f model.mk MODEL=Vtop PYTHON3=python3, in its folder. Needs g++, ar and Python.
# MAIN_HEADER is a precompiled header for the main program, if there is one.
# Verilator's own makefile refuses folders with blanks, and calls programs that need not be there.
CURDIR := .
# Those of the environment would not fit what was compiled before.
CXXFLAGS :=
CPPFLAGS :=
LDFLAGS  :=
include $(MODEL).mk

CXX  = g++
LINK = g++
AR   = ar
# The configuration of the pip package lacks it.
CFG_CXXFLAGS_PCH_I = -include

ifdef MAIN_HEADER
$(VK_USER_OBJS): CPPFLAGS += -include $(MAIN_HEADER)
endif

$(MODEL)__ALL.a: $(VK_OBJS)
	@rm -f $@
	$(AR) -rcs $@ $^
