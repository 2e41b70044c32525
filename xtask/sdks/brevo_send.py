"""Sends one message with brevo-python, Brevo's own library for Python."""

import json
import sys

import brevo
from brevo.transactional_emails import (
    SendTransacEmailRequestReplyTo,
    SendTransacEmailRequestSender,
    SendTransacEmailRequestToItem,
)

task = json.load(sys.stdin)
message = task["message"]
client = brevo.Brevo(base_url=task["address"] + "/v3", api_key=task["secrets"]["api-key"])
print(
    client.transactional_emails.send_transac_email(
        sender=SendTransacEmailRequestSender(email=message["from"], name=message["from_name"]),
        to=[SendTransacEmailRequestToItem(email=message["to"])],
        reply_to=SendTransacEmailRequestReplyTo(email=message["reply_to"]),
        subject=message["subject"],
        html_content=message["html"],
        text_content=message["text"],
        headers={
            **message["headers"],
            "X-Mailin-custom": message["reference"],
            "idempotencyKey": message["idempotency_key"],
        },
    ).message_id
)
