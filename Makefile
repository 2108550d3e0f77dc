# Every target makes its own environment in .venv from a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SIM := $(BIN)/iptables-sim
STAMP := $(VENV)/.installed
SHARED := ../shared
N ?= 200

.PHONY: demo test check lint kernel fuzz-kernel bench score clean

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

# A packet through kube-proxy's rules, and one through a home router's NAT.
demo: $(STAMP)
	@echo "== a pod asks a Kubernetes service (rulesets/kube-proxy.rules)"
	@$(SIM) trace -f rulesets/kube-proxy.rules --host rulesets/kube-proxy.host.toml "tcp 10.224.0.42:40000 > 10.0.0.1:443 in azv1 syn"
	@echo
	@echo "== a PC behind a home router asks a web server (rulesets/home-router.rules)"
	@$(SIM) trace --why -f rulesets/home-router.rules --host rulesets/home-router.host.toml "tcp 192.168.1.50:40000 > 203.0.113.7:443 in br-lan syn"
	@echo
	@echo "== a stranger knocks at the router's SSH port"
	@$(SIM) trace --why -f rulesets/home-router.rules --host rulesets/home-router.host.toml "tcp 203.0.113.99:40000 > 198.51.100.20:22 in eth0 syn"; \
	test $$? -eq 10

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 -m "not kernel"

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

# The same scenarios on the real kernel: needs root, iptables, nftables, conntrack, ipset.
kernel: $(STAMP)
	$(BIN)/python -m pytest -m kernel
	$(SIM) run rulesets/scenarios --on both

fuzz-kernel: $(STAMP)
	for profile in stateless nat conntrack routing ipv6 kube mixed helpers matches targets stateful sets; do \
		$(BIN)/python -m tests.kernel.fuzz --profile $$profile --count $(N) || exit 1; \
	done

bench: $(STAMP)
	$(BIN)/python -m tests.bench.restore

# Against recorded answers of the real programs, where they lie beside this project.
score: $(STAMP)
	@test -d $(SHARED) || { echo "no recorded answers beside this project"; exit 0; }
	$(PYTHON) $(SHARED)/oracle/compare_recorded.py compare --cmd '$(SIM) run - --format json' $(SHARED)/recorded/*.jsonl.gz

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
