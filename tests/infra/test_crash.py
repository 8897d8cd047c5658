"""The error that ended vLLM, found in its log."""

from __future__ import annotations

import pytest

from infra.home_k3s.crash import error_in

AT = "(EngineCore pid=3260) ERROR 11-29 20:04:26 [core.py:1510] "
ENGINE_FAILED = f"""\
(APIServer pid=3171) WARNING 11-29 20:04:25 [system_utils.py:255] errors like `OSError: [Errno 24]`
{AT}Traceback (most recent call last):
{AT}  File "file_download.py", line 464, in http_get
{AT}    temp_file.write(chunk)
{AT}OSError: [Errno 28] No space left on device
Process EngineCore:
Traceback (most recent call last):
    raise e
OSError: [Errno 28] No space left on device
Traceback (most recent call last):
  File "utils.py", line 1431, in wait_for_engine_startup
    raise RuntimeError(
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {{}}
"""
NO_MEMORY = f"""\
{AT}torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.
[rank0]:[W1129 ProcessGroupNCCL.cpp:1479] Warning: destroy_process_group() was not called
(APIServer pid=7) RuntimeError: Engine core initialization failed. See root cause above.
"""
WRONG_SETTING = """\
(APIServer pid=1) Traceback (most recent call last):
(APIServer pid=1)     return cls(**kwargs)
(APIServer pid=1) pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig
(APIServer pid=1)   Value error, User-specified max_model_len (999999) is greater than 128000
(APIServer pid=1)     For further information visit https://errors.pydantic.dev
"""
EXPLAINED = """\
pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig
  Value error, User-specified max_model_len (999999) is greater than 128000
    For further information visit https://errors.pydantic.dev"""
DIED_LATER = f"""\
{AT}AssertionError
(APIServer pid=1) ERROR 11-29 20:04:26 [async_llm.py:1] EngineDeadError: See the root cause above.
INFO:     Shutting down
"""


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (ENGINE_FAILED, "OSError: [Errno 28] No space left on device"),
        (NO_MEMORY, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."),
        (WRONG_SETTING, EXPLAINED),
        (DIED_LATER, "AssertionError"),
        (
            "usage: api_server.py [-h]\napi_server.py: error: unrecognized arguments: --no-such\n",
            "api_server.py: error: unrecognized arguments: --no-such",
        ),
        ("INFO 11-29 Loading weights: 40%\n", ""),
        ("", ""),
    ],
)
def test_the_error_is_the_one_that_others_only_point_at(log: str, told: str) -> None:
    assert error_in(log) == told
