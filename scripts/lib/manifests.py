"""Compares deploy/kubernetes with its kustomization, and what manifests name with what there is."""

import pathlib
import sys

from ruamel.yaml import YAML

FOLDER = pathlib.Path("deploy/kubernetes")
# Applied by hand, or only where the Prometheus operator is.
APART = {"kustomization.yaml", "secret.template.yaml", "servicemonitor.yaml"}

faults = []
load = YAML(typ="safe").load
listed = set(load(FOLDER / "kustomization.yaml")["resources"])
there = {path.name for path in FOLDER.glob("*.yaml")} - APART
if listed != there:
    faults.append(f"kustomization.yaml: {sorted(listed ^ there)}")

manifests = {path.name: load(path) for path in FOLDER.glob("*.yaml")}
worker = manifests["deployment.yaml"]["spec"]
labels = worker["template"]["metadata"]["labels"].items()
for name, selector in {
    "deployment.yaml": worker["selector"]["matchLabels"],
    "service.yaml": manifests["service.yaml"]["spec"]["selector"],
    "disruption.yaml": manifests["disruption.yaml"]["spec"]["selector"]["matchLabels"],
    "networkpolicy.yaml": manifests["networkpolicy.yaml"]["spec"]["podSelector"]["matchLabels"],
}.items():
    if not selector.items() <= labels:
        faults.append(f"{name} selects no worker")

container = worker["template"]["spec"]["containers"][0]
ports = {port["name"]: port["containerPort"] for port in container["ports"]}
for port in manifests["service.yaml"]["spec"]["ports"]:
    if port["targetPort"] not in ports:
        faults.append(f"service.yaml: no port {port['targetPort']}")
settings = manifests["configmap.yaml"]["data"]
if int(settings["METRICS_PORT"]) != ports["metrics"]:
    faults.append("METRICS_PORT is another than the container's")
# A worker must have time for its farewell.
pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
grace = int(settings["SHUTDOWN_GRACE_SECONDS"])
if worker["template"]["spec"]["terminationGracePeriodSeconds"] < pause + grace + 5:
    faults.append("deployment.yaml: killed before the grace period is over")
# Every setting is one that the program knows.
known = pathlib.Path(".env.example").read_text()
for name in settings | manifests["secret.template.yaml"]["stringData"]:
    if f"{name}=" not in known:
        faults.append(f"nobody reads {name}")

sys.exit("\n".join(faults) or None)
