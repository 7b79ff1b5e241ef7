#!/usr/bin/env python3
"""Judges what pip-audit found, as JSON on standard input; the argument is the lock's name.

Exits with 1 for a known vulnerability. A package that could not be looked up, because there was no
data or no network, is reported and is not a failure: pip-audit itself succeeds where it could look up
nothing.
"""

import json
import sys

lock = sys.argv[1]
try:
    packages = json.load(sys.stdin)["dependencies"]
except (ValueError, KeyError, TypeError):
    print(f"NOT AUDITED: {lock}. No vulnerability data could be reached.")
    sys.exit()
unknown = [package["name"] for package in packages if "vulns" not in package]
vulnerable = [
    f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in "
    f"{', '.join(vulnerability.get('fix_versions', [])) or 'no version'}"
    for package in packages
    for vulnerability in package.get("vulns", [])
]
for line in vulnerable:
    print(f"VULNERABLE: {lock}: {line}")
if unknown or not packages:
    print(f"NOT AUDITED: {lock}. Nothing is known of {len(unknown)} of {len(packages)} packages.")
if not vulnerable and len(unknown) < len(packages):
    print(f"{lock}: no vulnerability is known of {len(packages) - len(unknown)} packages.")
sys.exit(bool(vulnerable))
