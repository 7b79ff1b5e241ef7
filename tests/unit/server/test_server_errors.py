"""What the client and the server say, and the typed errors that become of it."""

from __future__ import annotations

import ssl
from typing import Any

import elasticsearch
import pytest
import urllib3
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig
from urllib3.util.ssl_ import assert_fingerprint

from indexer.errors import FoidexError, RequestError, ServerError
from indexer.server.address import ServerAddress
from indexer.server.server_errors import (
    ForbiddenError,
    MissingPrivilege,
    explain_tls_error,
    parse_unauthorized_reason,
    translate_client_errors,
)

ADDRESS = ServerAddress("http://search.example.org:9200", user="analyst")

# As Elasticsearch 9.1 words them (Security's AuthorizationDenialMessages).
REASONS = {
    "action [indices:data/read/search] is unauthorized for user [analyst] with effective roles "
    "[reader] on indices [crimes-20240101-000000], this action is granted by the index privileges "
    "[read,all]": MissingPrivilege(
        "indices:data/read/search", "crimes-20240101-000000", "index", "read"
    ),
    "action [indices:admin/delete] is unauthorized for API key id [k7] of user [analyst] on "
    "restricted indices [.security-7], this action is granted by the index privileges "
    "[delete_index,manage,all]": MissingPrivilege(
        "indices:admin/delete", ".security-7", "index", "delete_index"
    ),
    "action [cluster:monitor/nodes/info] is unauthorized for user [analyst] with effective roles "
    "[], this action is granted by the cluster privileges [monitor,manage,all]": MissingPrivilege(
        "cluster:monitor/nodes/info", "", "cluster", "monitor"
    ),
    "action [cluster:admin/other] is unauthorized for user [analyst]": MissingPrivilege(
        "cluster:admin/other"
    ),
}


def raised(status: int, body: object, address: ServerAddress = ADDRESS) -> FoidexError:
    """What an answer of the server is translated to."""
    node = NodeConfig("http", "search.example.org", 9200)
    headers = HttpHeaders({"x-elastic-product": "Elasticsearch"})
    meta = ApiResponseMeta(status, "1.1", headers, 0.1, node)
    kind: Any = elasticsearch.exceptions.HTTP_EXCEPTIONS.get(status, elasticsearch.ApiError)
    with (
        pytest.raises(FoidexError) as error,
        translate_client_errors(address),
    ):
        raise kind("message", meta, body)
    return error.value


@pytest.mark.parametrize("reason", REASONS)
def test_missing_right_is_read_from_the_reason_and_the_user_is_not_named(reason: str) -> None:
    missing = parse_unauthorized_reason(reason)
    assert missing == REASONS[reason]
    error = raised(403, {"error": {"type": "security_exception", "reason": reason}, "status": 403})
    assert isinstance(error, ForbiddenError)
    assert f"(403): it lacks {missing.describe()}. Use a user" in str(error)
    assert "analyst" not in str(error)


@pytest.mark.parametrize(
    "body", ["Forbidden", {"error": "no"}, {"error": {"reason": "other"}}, None]
)
def test_refusal_in_other_words_is_still_a_refusal(body: object) -> None:
    error = raised(403, body)
    assert isinstance(error, ForbiddenError)
    assert "let this user do that (403). Use" in str(error)


def test_request_that_is_too_large_is_told_by_the_type_of_any_cause() -> None:
    shard = {"shard": 0, "reason": {"type": "too_many_nested_clauses", "reason": "maximum 9"}}
    error = {"type": "search_phase_execution_exception", "failed_shards": [shard]}
    assert isinstance(raised(400, {"error": error, "status": 400}), RequestError)
    assert isinstance(raised(413, "<html>"), RequestError)
    text = {"type": "parsing_exception", "reason": "no field too_many_buckets_exception"}
    assert isinstance(raised(400, {"error": text, "status": 400}), ServerError)


@pytest.mark.parametrize(
    "error",
    [
        {
            "type": "search_phase_execution_exception",
            "reason": "rejected due to missing shards [0]",
        },
        {"type": "no_shard_available_action_exception", "reason": "no shard available"},
    ],
)
def test_a_shard_that_cannot_be_opened_is_told_with_what_helps(error: dict[str, str]) -> None:
    """The embedded server is one node, so there is none to start."""
    body = {"error": error, "status": 503}
    told = str(raised(503, body))
    assert "no node holds a part of the index (a shard)" in told
    assert "Start the nodes that are down; foidex doctor names" in told
    embedded = str(raised(503, body, ServerAddress("http://127.0.0.1:9200", is_embedded=True)))
    assert "its file is damaged; foidex doctor names it." in embedded
    assert "nodes" not in embedded


def test_fingerprint_mismatch_is_told_by_the_type_of_the_error() -> None:
    """urllib3's own error, raised by its own check; errors of OpenSSL are wrapped in the same type."""
    with pytest.raises(urllib3.exceptions.SSLError) as mismatch:
        assert_fingerprint(b"certificate", "ab" * 32)
    wrong = elasticsearch.SSLError("message", errors=(mismatch.value,))
    wrong.__cause__ = mismatch.value
    assert "another SHA-256 than FOIDEX_FINGERPRINT" in explain_tls_error(wrong)
    cause = urllib3.exceptions.SSLError(ssl.SSLError(1, "wrong version number"))
    other = elasticsearch.SSLError("fingerprint", errors=(cause,))
    other.__cause__ = cause
    assert "does not speak TLS" in explain_tls_error(other)
