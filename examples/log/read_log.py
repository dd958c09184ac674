"""Prints what happened, and verifies the hash chains of each session. Needs: pip install kafka-python fastavro"""

import hashlib
import io
import json
import os

import fastavro
import kafka

login = {"bootstrap_servers": os.environ["KAFKA_BROKERS"], "security_protocol": "SASL_PLAINTEXT",
         "sasl_mechanism": "PLAIN", "sasl_plain_username": "audit", "sasl_plain_password": os.environ["KAFKA_PASSWORD"],
         "auto_offset_reset": "earliest", "enable_auto_commit": False, "consumer_timeout_ms": 5_000}
published, schemas, heads, seen = fastavro.schema.load_schema(os.environ["SCHEMA_PUBLISHED"]), {}, {}, set()

for record in kafka.KafkaConsumer("schemas", group_id="audit-schemas", **login):
    found = fastavro.schemaless_reader(io.BytesIO(record.value), published)
    schemas[found["fingerprint"]] = fastavro.parse_schema(json.loads(found["schema"]))

for record in kafka.KafkaConsumer("sessions", "decisions", "approvals", "transcript", group_id="audit-events", **login):
    headers = {name: value.decode() for name, value in record.headers}
    kind, fingerprint = headers["ce_type"].split(".")[-1], headers["ce_dataschema"].split(":")[-1]
    message = fastavro.schemaless_reader(io.BytesIO(record.value), schemas[fingerprint])
    chain = (record.topic, record.key)  # a session has one in `sessions` and one in `transcript`
    if "previousHash" in message and headers["ce_id"] not in seen:  # a repeat by id is harmless
        whole = message["previousHash"] == heads.get(chain, "")
        assert whole, f"a chain is broken at {record.topic}, partition {record.partition}, offset {record.offset}"
        heads[chain] = hashlib.sha256(f"{kind}\0{fingerprint}\0".encode() + record.value).hexdigest()
        seen.add(headers["ce_id"])
    if record.topic != "transcript" and kind != "CoverageAlive":
        print(headers["ce_time"], record.key.decode(), kind, message.get("code") or message.get("summary") or "", flush=True)
print(f"{len(heads)} chains are whole")
