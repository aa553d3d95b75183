"""Serve KoboToolbox's data API and ODK Central's OData on loopback as they are documented, with faults to order."""

# ruff: noqa: ARG002, PLR0911  the parts of a question, whether an answer needs them or not
from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, quote, unquote, urlsplit

TOKEN = "s3cret-t0ken-of-the-test"  # noqa: S105
EMAIL, PASSWORD = "analyst@example.org", "p4ss word/of-the-test"
OUTSIDE = "https://central.example.org"


class Answer:
    def __init__(self, document=None, *, status=200, headers=(), body=None, cut_at=None):
        self.status = status
        self.headers = dict(headers)
        self.body = body if body is not None else json.dumps(document, ensure_ascii=False).encode()
        self.cut_at = cut_at


class FakeServer:
    """One server on a free port; `faults` and `before` are looked up by the number of the question, from 1."""

    def __init__(self):
        self.asked = []
        self.faults = {}
        self.before = {}
        self.is_closed = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                outer.handle(self, self.rfile.read(length))

            def log_message(self, *_):
                pass

        for verb in ("GET", "POST", "DELETE"):
            setattr(Handler, f"do_{verb}", Handler.answer)
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def handle(self, handler, body):
        parts = urlsplit(handler.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.asked.append((handler.command, handler.path, dict(handler.headers)))
        number = len(self.asked)
        if change := self.before.pop(number, None):
            change()
        answer = self.faults.pop(number, None)
        if answer is None:
            answer = self.answer(handler.command, unquote(parts.path), query, handler.headers, body)
        elif callable(answer):
            answer = answer()
        if answer == "drop":
            handler.close_connection = True
            handler.connection.close()
            return
        handler.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        with suppress(ConnectionError):  # the other side may have heard enough
            handler.wfile.write(answer.body if answer.cut_at is None else answer.body[: answer.cut_at])
        handler.close_connection = answer.cut_at is not None

    def answer(self, method, path, query, headers, body):
        raise NotImplementedError


class FakeKobo(FakeServer):
    """The data endpoint of one asset; `rows` can be changed at any time."""

    def __init__(self, rows, *, asset="aTest", cap=1000, count_error=0, proxy_scheme="http", next_host=None):
        super().__init__()
        self.rows, self.asset, self.cap = list(rows), asset, cap
        self.count_error, self.proxy_scheme, self.next_host = count_error, proxy_scheme, next_host

    def chosen(self, query):
        rows = list(self.rows)
        if "query" in query:
            for_any = json.loads(query["query"])["$or"]
            rows = [
                row
                for row in rows
                if any(row.get(key, "") >= bound["$gte"] for one in for_any for key, bound in one.items())
            ]
        if query.get("sort") == '{"_id":1}':
            rows.sort(key=lambda row: row["_id"])
        return rows

    def answer(self, method, path, query, headers, body):
        if headers.get("Authorization") != f"Token {TOKEN}":
            return Answer({"detail": "Invalid token."}, status=401)
        root = f"/api/v2/assets/{self.asset}/data/"
        if match := re.fullmatch(re.escape(root) + r"(\d+)/", path):
            found = [row for row in self.rows if row["_id"] == int(match[1])]
            return Answer(found[0]) if found else Answer({"detail": "Not found."}, status=404)
        if path != root:
            return Answer({"detail": "Not found."}, status=404)
        rows = self.chosen(query)
        start, limit = int(query.get("start", 0)), min(int(query.get("limit", 100)), self.cap)
        results = rows[start : start + limit]
        if "fields" in query:
            keep = json.loads(query["fields"])
            results = [{key: row[key] for key in keep if key in row} for row in results]
        following = None
        if start + limit < len(rows):
            host = self.next_host or self.url.removeprefix("http://")
            following = f"{self.proxy_scheme}://{host}{root}?format=json&limit={limit}&start={start + limit}"
        return Answer({"count": len(rows) + self.count_error, "next": following, "previous": None, "results": results})


class FakeOdk(FakeServer):
    """OData of one form, newest first; links carry another domain, as behind a proxy."""

    def __init__(self, rows, *, project=1, form="baseline", lists_deleted=True):
        super().__init__()
        self.rows, self.project, self.form = list(rows), project, form
        self.deleted, self.sessions, self.lists_deleted = [], 0, lists_deleted
        self.is_app_user = False

    def refusal(self, status, code, message):
        return Answer({"message": message, "code": code}, status=status)

    def may(self, path, headers):
        if self.is_app_user:
            return path.startswith(f"/v1/key/{TOKEN}/")
        return headers.get("Authorization") in {f"Bearer {TOKEN}", f"Bearer session-{self.sessions}"}

    def answer(self, method, path, query, headers, body):
        if path == "/v1/sessions" and method == "POST":
            if json.loads(body) != {"email": EMAIL, "password": PASSWORD}:
                return self.refusal(401, 401.2, "Could not authenticate with the provided credentials.")
            self.sessions += 1
            return Answer({"token": f"session-{self.sessions}", "expiresAt": "2030-01-01T00:00:00.000Z"})
        if not self.may(path, headers):
            return self.refusal(401, 401.2, "Could not authenticate with the provided credentials.")
        if path == "/v1/sessions/current" and method == "DELETE":
            self.is_closed = True
            return Answer({"success": True})
        table = f"/projects/{self.project}/forms/{self.form}.svc/Submissions"
        root = f"/v1/key/{TOKEN}" if self.is_app_user else "/v1"
        if match := re.fullmatch(re.escape(root + table) + r"\('(.*)'\)", path):
            found = [row for row in self.rows if row["__id"] == match[1]]
            return Answer({"value": found}) if found else self.refusal(404, 404.1, "Could not find the resource.")
        if path != root + table:
            return self.refusal(404, 404.1, "Could not find the resource you were looking for.")
        return self.table(path, query)

    def chosen(self, query):
        wanted = query.get("$filter", "")
        rows = list(self.rows)
        if "deletedAt" in wanted:
            if not self.lists_deleted:
                return None
            rows += self.deleted
        elif wanted:
            times = re.findall(r"__system/(\w+) ge (\S+)", wanted)
            rows = [row for row in rows if any((row["__system"].get(key) or "") >= bound for key, bound in times)]
        return sorted(rows, key=lambda row: row["__system"]["submissionDate"], reverse=True)

    def table(self, path, query):
        rows = self.chosen(query)
        if rows is None:
            return self.refusal(501, 501.5, "The given OData filter expression uses features not supported.")
        start = 0
        if "$skiptoken" in query:
            token = json.loads(base64.b64decode(query["$skiptoken"][2:]))["instanceId"]
            places = [place for place, row in enumerate(rows) if row["__id"] == token]
            start = places[0] + 1 if places else len(rows)
        top = int(query.get("$top", 10**9))
        page = rows[start : start + top]
        document = {"value": page, "@odata.context": f"{OUTSIDE}{path.rsplit('/', 1)[0]}/$metadata#Submissions"}
        if start + top < len(rows):
            token = "01" + base64.b64encode(json.dumps({"instanceId": page[-1]["__id"]}).encode()).decode()
            document["@odata.nextLink"] = f"{OUTSIDE}{path}?%24top={top}&%24skiptoken={quote(token)}"
        if query.get("$count") == "true":
            document["@odata.count"] = len(rows)
        if "$select" in query:
            keep = query["$select"].split(",")
            document["value"] = [{key: row[key] for key in keep if key in row} for row in page]
        return Answer(document)


def kobo_row(number, **changes):
    """Return a return as Kobo gives it, with a repeat."""
    row = {
        "_id": number, "_uuid": f"{number:08d}-kobo", "meta/instanceID": f"uuid:{number:08d}-kobo",
        "meta/rootUuid": f"uuid:{number:08d}-kobo", "_submission_time": f"2024-02-10T10:00:{number % 60:02d}",
        "_validation_status": {}, "remarks": f"Хороо {number}", "arrivals": [{"arrivals/persons": number}],
    }  # fmt: skip
    return {**row, **changes}


def odk_row(number, **system):
    """Return a submission as ODK Central gives it, with a repeat."""
    known = {
        "submissionDate": f"2024-02-10T10:{number // 60:02d}:{number % 60:02d}.000Z", "updatedAt": None,
        "reviewState": None, "edits": 0, "deletedAt": None, "formVersion": "1",
    }  # fmt: skip
    return {
        "__id": f"uuid:{number:08d}-odk", "meta": {"instanceID": f"uuid:{number:08d}-odk"}, "persons": number,
        "arrivals": [{"persons": number, "__id": "0" * 40}], "__system": {**known, **system},
    }  # fmt: skip


def kobo_rows(count):
    return [kobo_row(number) for number in range(1, count + 1)]


def odk_rows(count):
    return [odk_row(number) for number in range(1, count + 1)]
