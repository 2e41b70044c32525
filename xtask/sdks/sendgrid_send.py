"""Sends one message with sendgrid, SendGrid's own library for Python."""

import json
import sys

import sendgrid
from sendgrid.helpers.mail import (
    Content,
    CustomArg,
    Email,
    Header,
    Mail,
    Personalization,
    ReplyTo,
    To,
)

task = json.load(sys.stdin)
message = task["message"]
mail = Mail()
entry = Personalization()
entry.add_to(To(message["to"]))
for name, value in message["headers"].items():
    entry.add_header(Header(name, value))
entry.add_custom_arg(CustomArg("waxseal-reference", message["reference"]))
mail.add_personalization(entry)
mail.from_email = Email(message["from"], message["from_name"])
mail.reply_to = ReplyTo(message["reply_to"])
mail.subject = message["subject"]
mail.add_content(Content("text/plain", message["text"]))
mail.add_content(Content("text/html", message["html"]))
client = sendgrid.SendGridAPIClient(task["secrets"]["api-key"], host=task["address"])
print(client.send(mail).headers["X-Message-Id"])
