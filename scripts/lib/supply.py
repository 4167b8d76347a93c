"""What the program is made of: checked against deny.toml, or written down as a bill of materials.

    supply.py check          licences, sources and duplicates, as cargo-deny would
    supply.py sbom           CycloneDX 1.5 on standard output
"""

import collections
import json
import re
import subprocess
import sys
import tomllib
import uuid

policy = tomllib.load(open("deny.toml", "rb"))
target = policy["graph"]["targets"][0]
metadata = json.loads(
    subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
members = set(metadata["workspace_members"])


def reached(start, tests):
    """Everything that `start` needs, with or without what only tests need."""
    found, todo = set(), list(start)
    while todo:
        here = todo.pop()
        if here in found:
            continue
        found.add(here)
        for needed in nodes[here]["deps"]:
            kinds = {kind["kind"] for kind in needed["dep_kinds"]}
            if tests or kinds != {"dev"}:
                todo.append(needed["pkg"])
    return found


def is_allowed(expression, allowed):
    """Reads an SPDX expression; the slash is its spelling of former days."""
    text = expression.replace("/", " OR ")
    words = re.findall(r"\(|\)|[^\s()]+", text)
    python = []
    while words:
        word = words.pop(0)
        if word in ("(", ")"):
            python.append(word)
        elif word in ("OR", "AND"):
            python.append(word.lower())
        else:
            if words[:1] == ["WITH"]:
                word = f"{word} WITH {words[1]}"
                del words[:2]
            python.append(str(word in allowed))
    # Nothing but True, False, and, or and parentheses is left.
    return eval(" ".join(python))


def check():
    faults = []
    allowed = set(policy["licenses"]["allow"])
    alone = {entry["crate"]: set(entry["allow"]) for entry in policy["licenses"]["exceptions"]}
    sources = set(policy["sources"]["allow-registry"])
    used = set()
    all_of_them = reached(members, tests=True)
    for package in (packages[id] for id in all_of_them):
        name = f"{package['name']} {package['version']}"
        licence = package["license"]
        if not licence:
            faults.append(f"{name} names no licence")
        elif not is_allowed(licence, allowed | alone.get(package["name"], set())):
            faults.append(f"{name}: the licence {licence} is not in deny.toml")
        source = package["source"]
        if source and source.removeprefix("registry+") not in sources:
            faults.append(f"{name} comes from {source}")
        if package["name"] in {entry["crate"] for entry in policy["bans"]["deny"]}:
            faults.append(f"{name} is banned in deny.toml")

    # Of what is shipped; what tests need twice costs nobody anything.
    versions = collections.defaultdict(set)
    for package in (packages[id] for id in shipped()):
        versions[package["name"]].add(package["version"])
    explained = {entry["crate"]: entry["reason"] for entry in policy["bans"]["skip"]}
    for name, those in sorted(versions.items()):
        if len(those) < 2:
            continue
        # One of them needs no excuse.
        unexplained = {v for v in those if f"{name}@{v.split('.')[0]}.{v.split('.')[1]}" not in explained}
        used |= {key for key in explained if key.startswith(f"{name}@")}
        if len(unexplained) > 1:
            faults.append(
                f"{name} is compiled as {', '.join(sorted(those))}: have one, or explain the"
                " older in deny.toml (bans.skip)"
            )
    for key in sorted(set(explained) - used):
        faults.append(f"deny.toml explains {key}, which there is no longer: remove the line")
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(all_of_them)} packages, {len(shipped())} of them shipped")


def shipped():
    [program] = [id for id in members if packages[id]["name"] == "server"]
    return reached([program], tests=False)


def sbom():
    checksums = {
        (package["name"], package["version"]): package.get("checksum")
        for package in tomllib.load(open("Cargo.lock", "rb"))["package"]
    }

    def reference(package):
        return f"pkg:cargo/{package['name']}@{package['version']}"

    def component(package):
        entry = {
            "type": "library",
            "bom-ref": reference(package),
            "name": package["name"],
            "version": package["version"],
            "purl": reference(package),
            "licenses": [{"expression": package["license"].replace(" / ", "/").replace("/", " OR ")}],
        }
        if checksum := checksums.get((package["name"], package["version"])):
            entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        if package["repository"]:
            entry["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
        return entry

    ids = shipped()
    [program] = [id for id in members if packages[id]["name"] == "server"]
    main = component(packages[program]) | {"type": "application", "name": "qtable"}
    parts = sorted((packages[id] for id in ids - {program}), key=reference)
    graph = [
        {
            "ref": reference(packages[id]),
            "dependsOn": sorted(
                reference(packages[needed["pkg"]])
                for needed in nodes[id]["deps"]
                if needed["pkg"] in ids and {k["kind"] for k in needed["dep_kinds"]} != {"dev"}
            ),
        }
        for id in sorted(ids)
    ]
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": main,
            "properties": [{"name": "cargo:target", "value": target}],
        },
        "components": [component(package) for package in parts],
        "dependencies": graph,
    }
    # The same parts, the same number: a bill can be compared with that of another build.
    seed = json.dumps(body, sort_keys=True)
    body["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, seed)}"
    print(json.dumps(body, indent=2))


{"check": check, "sbom": sbom}[sys.argv[1]]()
