# XQueue in Docker, under the names that Devstack gives to such commands.
#
# The source tree is mounted into the container and built there. MySQL comes
# with it, unless a Devstack is checked out in $(DEVSTACK_WORKSPACE)/devstack:
# then its MySQL and its network are used. Settings, with their defaults:
#
#     MYSQL_IMAGE      mysql:8.0    the MySQL that comes with it
#     XQUEUE_DEV_PORT  18040        where XQueue answers on this machine

folder := docker/devstack
devstack := $(if $(DEVSTACK_WORKSPACE),$(dir \
    $(wildcard $(DEVSTACK_WORKSPACE)/devstack/docker-compose.yml)))
status := http://localhost:$(or $(XQUEUE_DEV_PORT),18040)/xqueue/status
mysql := mariadb --no-defaults --host=edx.devstack.mysql80 --user=root

ifeq ($(devstack),)
compose := docker compose -f $(folder)/compose.yml -f $(folder)/mysql.yml
else
compose = DEVSTACK_NETWORK=$(devstack_project)_default \
    docker compose -f $(folder)/compose.yml -f $(folder)/network.yml
# It is an option of Devstack's, which may be changed in a file of its own.
devstack_project = $(shell \
    printf 'include Makefile\nname: ; @echo $$(COMPOSE_PROJECT_NAME)\n' | \
    $(MAKE) --silent --no-print-directory -C $(devstack) -f - name)
endif

# Where nobody types, there is no terminal to hand on.
no_terminal = $(shell [ -t 0 ] || echo -T)

.PHONY: requirements
requirements: build ## In the container: build the source tree that is mounted

.PHONY: dev.provision.xqueue
dev.provision.xqueue: _dev.mysql ## Build the image and the program, make tables and users
	@$(compose) build xqueue
	@$(compose) run --rm $(no_terminal) xqueue $(folder)/provision.sh

.PHONY: dev.up.xqueue dev.up.xqueue+xqueue_consumer dev.up.xqueue+sample
dev.up.xqueue: ## Start it, with its MySQL, on 127.0.0.1:18040
dev.up.xqueue+xqueue_consumer: ## Start it, and a process that only delivers
dev.up.xqueue+sample: ## Start it, a sample LMS and a sample grader
dev.up.xqueue+sample: services := xqueue sample-lms sample-grader
dev.up.xqueue+xqueue_consumer: services := xqueue xqueue_consumer
dev.up.xqueue dev.up.xqueue+xqueue_consumer dev.up.xqueue+sample: _dev.mysql
	@$(compose) up -d $(or $(services),xqueue)

.PHONY: dev.check.xqueue
dev.check.xqueue: ## Ask it whether it is well; show its log when it is not
	@curl -fsSL --retry 10 --retry-delay 1 --retry-all-errors $(status) || \
	    { $(compose) logs --tail 50 xqueue; exit 1; }
	@echo

.PHONY: dev.wait-for.xqueue
dev.wait-for.xqueue: ## Wait until it is well, five minutes at most
	@for _ in {1..300}; do \
	    curl -fsL -o /dev/null $(status) && exit; sleep 1; done; \
	    $(compose) logs --tail 50 xqueue; exit 1

.PHONY: dev.shell.xqueue xqueue-shell
dev.shell.xqueue xqueue-shell: ## A shell in its container; "make test" works there
	@$(compose) exec $(no_terminal) xqueue bash

.PHONY: dev.dbshell.xqueue
dev.dbshell.xqueue: _dev.mysql ## SQL at its database
	@$(compose) run --rm $(no_terminal) xqueue $(mysql) xqueue

.PHONY: dev.logs.xqueue
dev.logs.xqueue: ## Show its log, and go on showing it
	@$(compose) logs --follow --tail 500 xqueue

.PHONY: dev.restart.xqueue
dev.restart.xqueue: ## Restart it, built anew when the source has changed
	@$(compose) restart xqueue

.PHONY: dev.stop.xqueue
dev.stop.xqueue: ## Stop it
	@$(compose) stop xqueue

.PHONY: dev.down.xqueue
dev.down.xqueue: ## Stop and remove the containers of all of this; data stay
	@$(compose) --profile sample down

.PHONY: _dev.mysql
_dev.mysql:
	$(if $(devstack),@$(MAKE) --no-print-directory -C $(devstack) \
	    dev.up.mysql80 dev.wait-for.mysql80)
