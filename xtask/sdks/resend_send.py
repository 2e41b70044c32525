"""Sends one message with resend, Resend's own library for Python."""

import json
import sys

import resend

task = json.load(sys.stdin)
message = task["message"]
resend.api_url = task["address"]
resend.api_key = task["secrets"]["api-key"]
print(
    resend.Emails.send(
        {
            "from": f'"{message["from_name"]}" <{message["from"]}>',
            "to": [message["to"]],
            "subject": message["subject"],
            "html": message["html"],
            "text": message["text"],
            "reply_to": message["reply_to"],
            "headers": message["headers"],
            "tags": [{"name": "waxseal-reference", "value": message["reference"]}],
        },
        {"idempotency_key": message["idempotency_key"]},
    )["id"]
)
