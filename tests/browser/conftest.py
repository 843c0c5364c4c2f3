"""A real Jupyter server over a copy of the course, and Chromium to open it with."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading

import pytest

from solutions.refresh import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTINGS = {  # no popup that asks whether to fetch news, no dialogue between a test and the page
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}
START = 60  # seconds the server may take


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """A student's folder: lessons and exercises, nothing of ours beside them but what is imported."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("notebooks", "exercises"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return folder


@pytest.fixture(scope="session")
def jupyter(course, tmp_path_factory):
    """Address and token of a JupyterLab server (which serves Notebook 7 as well), with settings of its own."""
    own = tmp_path_factory.mktemp("jupyter")
    (own / "config" / "labconfig").mkdir(parents=True)
    (own / "config" / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    folders = {
        "JUPYTER_CONFIG_DIR": own / "config",
        "JUPYTER_DATA_DIR": own / "data",
        "JUPYTER_RUNTIME_DIR": own / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": own / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": own / "workspaces",
        "IPYTHONDIR": own / "ipython",
        "PYTHONPATH": ROOT,  # kernels import this checkout's helpers
    }
    token = secrets.token_hex(8)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--port=0", "--ip=127.0.0.1", "--allow-root"]
    command += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={course}"]
    command += ["--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"]
    server = subprocess.Popen(
        command,
        cwd=course,
        env=os.environ | {name: str(value) for name, value in folders.items()},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    found, log = threading.Event(), []

    def read():
        for line in server.stderr:
            log.append(line)
            if re.search(r"http://127\.0\.0\.1:\d+/", line):
                found.set()

    threading.Thread(target=read, daemon=True).start()
    try:
        assert found.wait(START), "".join(log)
        yield re.search(r"http://127\.0\.0\.1:\d+/", "".join(log))[0], token
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture(scope="module")  # Playwright runs one driver at a time: none may outlive its module
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A page of its own profile, which collects what the console complains of."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.complaints = []

    def listen(message):
        if message.type == "error":
            page.complaints.append(f"{message.text} [{message.location['url']}]")

    page.on("console", listen)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    context.close()
