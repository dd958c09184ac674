"""Verifies what `countersign export` wrote: its files are those of its manifest, and no hash chain in them is broken."""

import base64
import hashlib
import json
import pathlib
import sys


def verified(folder: pathlib.Path) -> str:
    manifest = json.loads((folder / "manifest.json").read_text())
    heads, seen = {}, set()
    for file in manifest["files"]:
        digest = hashlib.sha256()
        with open(folder / file["file"], "rb") as lines:
            for line in lines:
                digest.update(line)
                record = json.loads(line)
                message = record.get("fields") or {}
                if "previousHash" not in message or record["id"] in seen:  # a repeat by id is harmless
                    continue
                chain = (record["topic"], record["key"])
                before = "" if message["sequence"] == 0 else heads.get(chain, message["previousHash"])  # it may begin earlier
                place = f"{record['topic']}, partition {record['partition']}, offset {record['offset']}"
                assert message["previousHash"] == before, f"a chain is broken at {place}"
                value = base64.b64decode(record["value"])
                heads[chain] = hashlib.sha256(f"{record['type']}\0{record['schema']}\0".encode() + value).hexdigest()
                seen.add(record["id"])
        assert digest.hexdigest() == file["sha256"], f"{file['file']} is not what the manifest says"
    return f"{len(manifest['files'])} files and {len(heads)} chains are whole" + ("" if manifest["complete"] else "; not complete")


try:
    print(verified(pathlib.Path(sys.argv[1])))
except (AssertionError, ArithmeticError, LookupError, OSError, TypeError, ValueError) as wrong:  # no file, no JSON, or no record
    sys.exit(f"not what `countersign export` wrote: {type(wrong).__name__}: {wrong}")
