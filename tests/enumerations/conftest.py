"""Give tests a client beside a fake server of each kind."""

from __future__ import annotations

import pytest

from enumerations._page_store import PageStore
from enumerations.downloads import download
from enumerations.kobo import KoboServer
from enumerations.odk import Credentials, OdkServer
from tests.enumerations.fake_servers import TOKEN, FakeKobo, FakeOdk


class Client:
    """A client beside its fake server; `waits` are the seconds it would have slept."""

    def __init__(self, fake, server, folder):
        self.fake, self.server, self.folder, self.waits, self.told = fake, server, folder, [], []
        server._http._sleep = self.waits.append
        server._http._tell = self.told.append

    def pull(self, **options):
        self.store = PageStore(self.folder, self.server.identify)
        return download(self.server, self.store, **{"page_size": 10, **options})

    def rows(self):
        return [row for _, row in self.store.submissions()]


@pytest.fixture
def kobo(tmp_path):
    made = []

    def make(rows, *, token=TOKEN, **options):
        fake = FakeKobo(rows, **options)
        made.append(fake)
        made.append(KoboServer(fake.url, "aTest", token))
        return Client(fake, made[-1], tmp_path / "pages")

    yield make
    for one in reversed(made):
        one.close() if isinstance(one, KoboServer) else one.__exit__()


@pytest.fixture
def odk(tmp_path):
    made = []

    def make(rows, *, credentials=None, **options):
        fake = FakeOdk(rows, **options)
        made.append(fake)
        made.append(OdkServer(fake.url, 1, "baseline", credentials or Credentials(token=TOKEN)))
        return Client(fake, made[-1], tmp_path / "pages")

    yield make
    for one in reversed(made):
        one.close() if isinstance(one, OdkServer) else one.__exit__()
