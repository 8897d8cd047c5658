"""vLLM's log: a file of the twin, or what home's API server has of the pod."""

from __future__ import annotations

import os

from app.model.forecast.vllm_log import NoStartError, Reported, reported
from infra.home_k3s.cluster import K3s, NotReachedError
from infra.home_k3s.names import MODEL, NAMESPACE
from twin.errors import TwinError
from twin.paths import TwinPaths, state_dir


def reported_by_the_model_server() -> Reported:
    """vLLM's figures at its last start: on the cluster that ``KUBECONFIG`` names, else on the twin
    that is here, else on that of ``~/.kube/config``. :func:`hub.connection.connection` has the same
    order.

    Raises:
        TwinError: there is no model server, or its log does not hold a whole start.
    """
    paths = TwinPaths(state_dir())
    try:
        if "KUBECONFIG" not in os.environ and (paths.root / "twin.json").exists():
            return reported(_of_the_twin(paths))
        return reported(K3s(None, None).log(MODEL))
    except NotReachedError as error:
        named = os.environ.get("KUBECONFIG")
        remedy = (
            f"KUBECONFIG names the cluster that was asked, {named}; unset, it is the twin's log"
            if named
            else "Set KUBECONFIG, or start a twin with `make up`"
        )
        raise TwinError(f"Home was not reached: {error}. {remedy}.") from error
    except NoStartError as error:
        raise TwinError(
            f"vLLM's log does not tell its memory: {error}. Wait until the pod is ready; if its "
            f"start is no longer in the log, `kubectl -n {NAMESPACE} rollout restart "
            f"deployment/{MODEL}` starts it again."
        ) from error


def _of_the_twin(paths: TwinPaths) -> str:
    """The newest pod's."""
    logs = (paths.logs / "pods").glob(f"{NAMESPACE}_{MODEL}-*/vllm.log")
    newest = max(logs, key=lambda file: file.stat().st_mtime, default=None)
    if newest is None:
        raise TwinError("No model server has run in this twin yet. `hub up` starts it.")
    return newest.read_text(errors="replace")
