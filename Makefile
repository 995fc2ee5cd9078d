# SPDX-License-Identifier: GPL-2.0
#
# Haul: the commands that a person types. `make help` lists them; the work is in scripts/ and, for the module, in Kbuild.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

# The scripts start makes of their own: what was said to this one must not reach them.
RUN := env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u MAKELEVEL -u KDIR -u KERNEL -u TESTS -u WORKLOADS -u MODE -u CHECK -u PROFILE -u SECONDS -u LINK -u TIME

# KERNEL names a kernel of scripts/kernel (6.1, 6.12, 7, debug, kcsan or a path); KDIR a tree of kernel headers of one's own.
KERNEL ?=
TESTS ?=
ifeq ($(origin KDIR),undefined)
RUNNING := /lib/modules/$(shell uname -r)/build
KDIR := $(if $(KERNEL),,$(if $(wildcard $(RUNNING)/Makefile),$(RUNNING)))
endif

# what uname says, and modprobe looks for
RELEASE = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"$$/\1/p' '$(KDIR)/include/generated/utsrelease.h')

.DEFAULT_GOAL := module
.PHONY: help module modules_install install install-tools uninstall dkms deb tools examples setup run watch plot captures sick test test-install bench fuzz soak mutate model check clean

help: ## list the targets
	@printf 'make [TARGET] [VARIABLE=...]\n\n'
	@sed -nE 's/^([a-z_-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
	@printf '\nVariables\n'
	@printf '  %-17s %s\n' \
		'KDIR=DIR' 'build against the kernel headers in DIR' \
		'KERNEL=NAME' '6.1, 6.12, 7, debug or kcsan, fetched by scripts/kernel; test: one or several of them' \
		'INSTALL_FLAGS=' 'install, uninstall: --prefix DIR, --destdir DIR, --kdir DIR, --dry-run' \
		'TESTS="a b"' "test: only these (names or patterns; scripts/test --list shows them)" \
		'WORKLOADS="a b"' "bench: only these (scripts/bench --list shows them)" \
		'MODE=exact' "bench: instructions only; MODE=wall: time only" \
		'TIME=S' "fuzz: seconds in all; without it a bounded run, always the same; soak: seconds" \
		'CHECK=1' "bench: fail if a ratio grew over selftests/bench/baseline.json" \
		'PROFILE=1' "bench: print where the instructions go by symbol instead" \
		'SECONDS=60' 'watch: for so long' \
		'LINK="NETEM..."' 'watch: another link, in the words of tc-netem(8)'

module: ## build haul.ko: for KDIR, for KERNEL, else for the running kernel or the release's own (default)
ifneq ($(KDIR),)
	@test -e '$(KDIR)/Makefile' || { echo 'make: KDIR=$(KDIR) holds no kernel headers' >&2; exit 1; }
	@$(MAKE) -C $(KDIR) M=$(CURDIR) modules
else
	@$(RUN) scripts/kernel build $(or $(KERNEL),default)
endif

modules_install: ## install haul.ko for the kernel of KDIR (default: the running one)
	@test -n '$(KDIR)' || { echo 'make: no kernel headers; install linux-headers-$(shell uname -r) or say KDIR=DIR' >&2; exit 1; }
	@$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_DIR=updates modules_install
	@# without a System.map, as in headers, the kernel's own make leaves it out
	@PATH=$$PATH:/usr/sbin:/sbin depmod $(if $(INSTALL_MOD_PATH),-b '$(INSTALL_MOD_PATH)') $(RELEASE)

tools: ## build the programs that are installed (in build/tools)
	@for dir in $(filter-out tools/demo/,$(dir $(wildcard tools/*/Makefile))); do \
		$(MAKE) -C $$dir OUT='$(CURDIR)/build/tools' || exit; done

examples: ## build the programs of Documentation/examples (in build/examples)
	@$(MAKE) -C Documentation/examples OUT='$(CURDIR)/build/examples'

install: ## module, header, tools, pages for the running kernel (scripts/install --help)
	@$(RUN) scripts/install $(INSTALL_FLAGS)

install-tools: ## of these the programs, their completion for bash, and Wireshark's dissector
	@$(RUN) scripts/install $(INSTALL_FLAGS) tools

uninstall: ## remove what the last install put there
	@$(RUN) scripts/install --uninstall $(INSTALL_FLAGS)

dkms: ## hand the module's source to DKMS, which builds it for this and later kernels
	@command -v dkms >/dev/null || { echo 'make: dkms is missing: apt install dkms' >&2; exit 1; }
	@dkms add . && dkms install haul/$$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

deb: ## Debian packages haul-dkms, haul-tools, haul-dev, in build/deb
	@$(RUN) scripts/setup packages
	@$(RUN) scripts/deb

test-install: ## do install, DKMS and the packages work? (about 15 minutes)
	@$(RUN) scripts/setup packages
	@$(RUN) scripts/test-install

setup: ## install what the other targets need (says what; uses apt)
	@$(RUN) scripts/setup

run: setup ## the demonstration: a real file through a lossy link in a VM, Haul beside TCP
	@$(RUN) scripts/demo

watch: setup ## see Haul's connections at work on the same link, live (SECONDS=, LINK="NETEM...")
	@$(RUN) scripts/demo --watch $(SECONDS) $(if $(LINK),--link '$(LINK)')

plot: setup ## draw what congestion controllers do, Haul's beside TCP's (scripts/plot --help: traces of your own)
	@$(RUN) scripts/plot $(if $(KERNEL),--kernel $(KERNEL))

captures: setup ## make the packet captures of Documentation/captures anew
	@$(RUN) scripts/setup trace
	@$(RUN) scripts/captures

sick: setup ## make connections slow for known reasons, and find out why as Documentation/why-slow.rst does
	@$(RUN) scripts/setup trace
	@$(RUN) scripts/sick

test: setup ## build everything and run every test in VMs; the last line sums up
	@$(RUN) scripts/setup programs
	@$(RUN) scripts/test $(foreach k,$(KERNEL),--kernel $(k)) -- $(TESTS)

bench: setup ## measure Haul beside the kernel's TCP in VMs (Documentation/bench.rst)
	@$(RUN) scripts/bench $(if $(KERNEL),--kernel $(KERNEL)) $(if $(MODE),--mode $(MODE)) $(if $(filter 1,$(CHECK)),--check) \
		$(if $(filter 1,$(PROFILE)),--profile) -- $(WORKLOADS)

mutate: ## break the module, an edit at a time, and see which test notices (an hour or two; TESTS='NAME...')
	@$(RUN) scripts/mutate $(TESTS)

fuzz: ## fuzz module/core; TIME=S: for S seconds, and as long packets and calls in a VM (KERNEL=NAME)
	@$(RUN) scripts/setup fuzz
	@$(RUN) scripts/fuzz $(if $(TIME),--time $(TIME))
	@$(if $(TIME),$(RUN) scripts/fuzz --vm --time $(TIME) --seed $$RANDOM $(if $(KERNEL),--kernel $(KERNEL)),:)

soak: setup ## connections that come and go for 20 minutes, in a VM (TIME=S, KERNEL=NAME)
	@$(RUN) scripts/soak $(if $(TIME),--time $(TIME)) $(if $(KERNEL),--kernel $(KERNEL))

model: ## check the model of handshake, teardown and crashes with spin (Documentation/testing.rst)
	@$(RUN) scripts/setup model
	@$(RUN) scripts/model

check: setup ## style, sparse, warnings, headers, scripts
	@$(RUN) scripts/check

clean: ## remove what was built here (caches of kernels stay)
	@rm -rf build
	@find . -path ./.git -prune -o \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' \
		-o -name '*.a' -o -name Module.symvers -o -name modules.order -o -name .module-common.o \) -type f -print0 | xargs -0r rm -f
