"""What stands at home, as the twin's stack declares it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from infra.gateway_key import authorization, password_line
from tests.support.pulumi_mocks import Deployment
from tests.support.stacks import ROOT, deploy_stack


@pytest.fixture
def deployed() -> Deployment:
    return deploy_stack(ROOT / "Pulumi.dev.yaml")


def pod(deployed: Deployment) -> dict[str, Any]:
    template = deployed.one("kubernetes:apps/v1:Deployment").inputs["spec"]["template"]
    return template["spec"]


def test_the_model_server_takes_one_gpu_slice_and_replaces_itself(deployed: Deployment) -> None:
    spec = deployed.one("kubernetes:apps/v1:Deployment").inputs["spec"]
    assert spec["strategy"] == {"type": "Recreate"}
    assert pod(deployed)["containers"][0]["resources"] == {"limits": {"nvidia.com/gpu": "1"}}
    assert pod(deployed)["runtimeClassName"] == "nvidia"


def test_the_pods_label_is_the_one_that_everything_selects(deployed: Deployment) -> None:
    spec = deployed.one("kubernetes:apps/v1:Deployment").inputs["spec"]
    labels = {"app": "vllm-qwen"}
    assert spec["template"]["metadata"]["labels"] == labels
    assert spec["selector"]["matchLabels"] == labels
    assert deployed.one("kubernetes:core/v1:Service").inputs["spec"]["selector"] == labels
    policies = [r for r in deployed.resources if r.typ.endswith(":NetworkPolicy")]
    assert [p.inputs["spec"]["podSelector"] for p in policies] == [{"matchLabels": labels}] * 2


def test_the_grace_period_is_leave_plus_drain_plus_margin(deployed: Deployment) -> None:
    assert pod(deployed)["terminationGracePeriodSeconds"] == 10 + 60 + 20
    [container] = pod(deployed)["containers"]
    assert container["lifecycle"] == {"preStop": {"sleep": {"seconds": 10}}}
    assert "--shutdown-timeout=60" in container["args"]


def test_a_start_and_readiness_are_told_by_health_which_needs_no_key(
    deployed: Deployment,
) -> None:
    [container] = pod(deployed)["containers"]
    for kind in ("startupProbe", "readinessProbe"):
        assert container[kind]["httpGet"] == {"path": "/health", "port": "http"}


def test_the_first_start_may_take_as_long_as_decision_7_says(deployed: Deployment) -> None:
    spec = deployed.one("kubernetes:apps/v1:Deployment").inputs["spec"]
    seconds = int(spec["progressDeadlineSeconds"])
    page = (ROOT / "docs" / "decisions" / "0007-the-pod.md").read_text()
    assert f"may take {seconds // 60} minutes" in page
    [container] = pod(deployed)["containers"]
    probe = container["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == seconds


def test_the_pod_lives_as_long_as_the_model_writes_a_token(deployed: Deployment) -> None:
    [container] = pod(deployed)["containers"]
    probe = container["livenessProbe"]
    python, c, program, port, model = probe["exec"]["command"]
    assert (python, c) == ("python3", "-c")
    assert "def is_alive" in program
    assert int(port) == container["ports"][0]["containerPort"]
    assert f"--served-model-name={model}" in container["args"]
    assert probe["timeoutSeconds"] > 10 + 10 + 2 + 30
    assert probe["periodSeconds"] * probe["failureThreshold"] == 360


def config_map(deployed: Deployment, name: str) -> dict[str, str]:
    found = [
        r.inputs
        for r in deployed.resources
        if r.typ == "kubernetes:core/v1:ConfigMap" and r.inputs["metadata"]["name"] == name
    ]
    return found[0]["data"]


def test_vllm_finds_the_modules_that_its_command_line_and_python_ask_for(
    deployed: Deployment,
) -> None:
    pod = deployed.one("kubernetes:apps/v1:Deployment").inputs["spec"]["template"]["spec"]
    [container] = pod["containers"]
    [path] = [one["value"] for one in container["env"] if one["name"] == "PYTHONPATH"]
    [mount] = [one for one in container["volumeMounts"] if one["mountPath"] == path]
    [volume] = [one for one in pod["volumes"] if one["name"] == mount["name"]]
    modules = config_map(deployed, volume["configMap"]["name"])
    middlewares = [arg for arg in container["args"] if arg.startswith("--middleware=")]
    names = {"sitecustomize.py"}
    for middleware in middlewares:
        module, _, name = middleware.removeprefix("--middleware=").rpartition(".")
        assert f"\nclass {name}:" in modules[f"{module}.py"]
        names.add(f"{module}.py")
    assert set(modules) == names
    assert "\nImage.open = " in modules["sitecustomize.py"]


def test_the_gpu_is_shared_by_ten_and_a_change_restarts_the_plugin(deployed: Deployment) -> None:
    data = config_map(deployed, "nvidia-time-slicing")["config.yaml"]
    assert yaml.safe_load(data) == {
        "version": "v1",
        "sharing": {
            "timeSlicing": {
                "failRequestsGreaterThanOne": True,
                "resources": [{"name": "nvidia.com/gpu", "replicas": 10}],
            }
        },
    }

    def annotation(deployment: Deployment) -> str:
        spec = deployment.one("kubernetes:apps/v1:DaemonSet").inputs["spec"]
        return spec["template"]["metadata"]["annotations"]["personal-cloud-hub/config"]

    other = deploy_stack(ROOT / "Pulumi.dev.yaml", home={"gpuSlices": 4})
    assert annotation(deployed) != annotation(other)


def test_only_traefik_may_call_and_only_dns_and_public_https_may_be_called(
    deployed: Deployment,
) -> None:
    policies = {
        r.inputs["metadata"]["name"]: r.inputs["spec"]
        for r in deployed.resources
        if r.typ.endswith(":NetworkPolicy")
    }
    [ingress] = policies["vllm-from-traefik-only"]["ingress"]
    [peer] = ingress["from"]
    assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "traefik"}
    dns, https = policies["vllm-to-model-hub-only"]["egress"]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert {port["port"] for port in https["ports"]} == {443}
    assert "192.168.0.0/16" in https["to"][0]["ipBlock"]["except"]
    assert "100.64.0.0/10" in https["to"][0]["ipBlock"]["except"]


def test_the_way_in_asks_for_the_gateways_key_then_limits_each_client(
    deployed: Deployment,
) -> None:
    ingress = deployed.one("kubernetes:networking.k8s.io/v1:Ingress").inputs
    annotations = ingress["metadata"]["annotations"]
    assert annotations["traefik.ingress.kubernetes.io/router.middlewares"] == (
        "vlm-gateway-only@kubernetescrd,vlm-rate@kubernetescrd,vlm-in-flight@kubernetescrd"
    )
    limits = {
        r.inputs["metadata"]["name"]: r.inputs["spec"]
        for r in deployed.resources
        if r.typ == "kubernetes:traefik.io/v1alpha1:Middleware"
    }
    by_key = {"requestHeaderName": "X-Hub-Key-Id"}
    assert limits["gateway-only"] == {"basicAuth": {"secret": "gateway-key", "removeHeader": True}}
    assert limits["rate"]["rateLimit"]["sourceCriterion"] == by_key
    assert limits["in-flight"] == {"inFlightReq": {"amount": 40, "sourceCriterion": by_key}}


def chart(deployed: Deployment) -> dict[str, Any]:
    config = deployed.one("kubernetes:helm.cattle.io/v1:HelmChartConfig").inputs
    return yaml.safe_load(config["spec"]["valuesContent"])


def test_traefik_waits_longer_than_cloud_run_and_other_ingresses_stay_open(
    deployed: Deployment,
) -> None:
    transport = "--entryPoints.web.transport"
    assert chart(deployed) == {
        "additionalArguments": [
            f"{transport}.respondingTimeouts.readTimeout=330s",
            f"{transport}.lifeCycle.graceTimeOut=330s",
        ],
        "deployment": {"terminationGracePeriodSeconds": 340},
    }


def test_a_person_may_close_the_node_to_all_but_the_tailnet() -> None:
    closed = deploy_stack(ROOT / "Pulumi.dev.yaml", home={"tailnetOnly": True})
    assert chart(closed)["service"] == {"spec": {"loadBalancerSourceRanges": ["100.64.0.0/10"]}}


def test_a_persons_own_values_for_traefik_are_kept_and_this_programs_win() -> None:
    own = {
        "ports": {"mqtt": {"port": 1883}},
        "additionalArguments": ["--api.dashboard"],
        "deployment": {"replicas": 2, "terminationGracePeriodSeconds": 5},
    }
    values = chart(deploy_stack(ROOT / "Pulumi.dev.yaml", home={"traefikValues": own}))
    assert values["ports"] == {"mqtt": {"port": 1883}}
    assert values["additionalArguments"][0] == "--api.dashboard"
    assert len(values["additionalArguments"]) == 3
    assert values["deployment"] == {"replicas": 2, "terminationGracePeriodSeconds": 340}


def test_what_the_gateway_sends_is_what_traefik_knows() -> None:
    # `htpasswd -nbs gateway secret`, and RFC 7617's example form
    assert password_line("secret") == "gateway:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="
    assert authorization("secret") == "Basic Z2F0ZXdheTpzZWNyZXQ="
