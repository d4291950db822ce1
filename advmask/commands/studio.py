"""`advmask studio`: the artist's page, until Ctrl-C."""

import signal
import threading
import webbrowser

from omegaconf import DictConfig

from advmask.commands.given_settings import as_mapping
from advmask.core.locks import alone_in
from advmask.studio.server import StudioServer
from advmask.studio.settings import StudioSettings
from advmask.studio.studio import Studio


def run(config: DictConfig) -> None:
    """Serve the page; what it started goes on afterwards."""
    settings = StudioSettings.build(as_mapping(config))
    # A shell that starts programs in the background has them ignore Ctrl-C, and so would all that we start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    taken = f"Another advmask studio is open in {settings.folder}; close it, or name another folder."
    with alone_in(settings.folder, wait_s=0.0, taken=taken):
        studio = Studio(settings.folder)
        with StudioServer(studio, port=settings.port) as server:
            print(f"The studio is open: {server.access.address}\nCtrl-C closes it.", flush=True)
            threading.Thread(target=studio.warm_up, daemon=True).start()
            if settings.browser:
                threading.Thread(
                    target=webbrowser.open, args=(server.access.first_address,), daemon=True
                ).start()
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                going_on = ", ".join(studio.still_at_work())
                print(f"Closed; {going_on} goes on. The same command shows it." if going_on else "Closed.")
