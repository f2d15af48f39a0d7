"""`manage.py demo`: a whole chain on this machine, with no server installed; Ctrl-C ends it."""

import os
import sys
from collections.abc import Callable
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseFailure

from hq.demo.cast import FEWEST_STORES, PLACES
from hq.demo.environments import Environments
from hq.demo.errors import DemoFailed
from hq.demo.keys import make_keys
from hq.demo.runlock import AlreadyRunning, RunLock
from hq.demo.showing import Wishes, show, told, where_to_look
from hq.demo.supervisor import StartFailed, Supervisor
from stores.errors import HubError

_INTERRUPTED = 130


class Command(BaseCommand):
    """Runs twice: first it makes the keys and becomes itself again with the demo's environment, then it shows."""

    requires_system_checks = ()  # the first run has no keys yet
    help = "Start the hub with a simulated Vipps MobilePay, build a chain, and tell a tour."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="end after the tour; exit 0 only if it held")
        parser.add_argument("--json", action="store_true", help="the last line of stdout is the report; all else on stderr")
        parser.add_argument("--port", type=int, default=8000, help="of desk, headquarters and REST (default 8000)")
        parser.add_argument("--simulator-port", type=int, default=8181, help="of the simulator (default 8181)")
        parser.add_argument("--stores", type=int, default=len(PLACES), choices=range(FEWEST_STORES, len(PLACES) + 1),
                            metavar=f"{FEWEST_STORES}..{len(PLACES)}", help="how many stores")  # fmt: skip
        parser.add_argument("--orders", type=int, default=20_000, help="how many orders over 90 days (default 20000)")

    def handle(self, *args: Any, **options: Any) -> None:
        environments = Environments(given=os.environ, var=settings.VAR_DIR.absolute())
        try:
            if dict(os.environ) != environments.of("command"):
                self._become_the_demo(environments, options)
            self._run(environments, options)
        except (AlreadyRunning, StartFailed, DemoFailed) as error:
            raise CommandError(str(error)) from error
        except HubError as error:
            raise CommandError(str(error.sentence)) from error
        except DatabaseFailure as error:
            raise CommandError(f"The database does not answer as it should: {error}") from error
        except requests.RequestException as error:
            raise CommandError(f"A process of the demo does not answer: {error}") from error
        except KeyboardInterrupt:
            self.stderr.write("\nStopped. Start again to go on from here.", _as_it_is)
            sys.exit(_INTERRUPTED)

    def _become_the_demo(self, environments: Environments, options: dict[str, Any]) -> None:
        """Settings are read once, at start: so the process replaces itself, with the keys it may hold and no others."""
        with RunLock(environments.var, say=self._say_with(options)):
            make_keys(environments.keys)
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environments.of("command"))  # noqa: S606 - itself

    def _run(self, environments: Environments, options: dict[str, Any]) -> None:
        say = self._say_with(options)
        wishes = Wishes(
            port=options["port"],
            simulator_port=options["simulator_port"],
            stores=options["stores"],
            orders=options["orders"],
        )
        with Supervisor(folder=settings.BASE_DIR, var=environments.var, say=say) as supervisor:
            report, fleet = show(wishes, supervisor=supervisor, environments=environments, base=settings.BASE_DIR, say=say)
            say(told(report))
            if not options["once"]:
                say(where_to_look(fleet))
                supervisor.run_until_interrupted()
                say("Ending.")
        if options["json"]:
            self.stdout.write(report.as_json())
        if not report.held:
            raise CommandError("The tour did not hold.")

    def _say_with(self, options: dict[str, Any]) -> Callable[[str], None]:
        stream = self.stderr if options["json"] else self.stdout

        def say(line: str) -> None:
            stream.write(line, _as_it_is)
            stream.flush()

        return say


def _as_it_is(line: str) -> str:
    """Not in red: what is told on stderr is no error."""
    return line
