"""The suites that other tests subclass tell what differs, as tests do."""

import pytest

pytest.register_assert_rewrite("code_conformance", "engine_conformance")
