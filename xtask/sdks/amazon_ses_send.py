"""Sends one message with boto3, Amazon's own library for Python."""

import json
import sys

import boto3

task = json.load(sys.stdin)
message = task["message"]
client = boto3.client(
    "sesv2",
    endpoint_url=task["address"],
    region_name=task["settings"]["region"],
    aws_access_key_id=task["settings"]["access-key-id"],
    aws_secret_access_key=task["secrets"]["secret-access-key"],
)


def text(words):
    return {"Data": words, "Charset": "UTF-8"}


print(
    client.send_email(
        FromEmailAddress=f'"{message["from_name"]}" <{message["from"]}>',
        Destination={"ToAddresses": [message["to"]]},
        ReplyToAddresses=[message["reply_to"]],
        Content={
            "Simple": {
                "Subject": text(message["subject"]),
                "Body": {"Text": text(message["text"]), "Html": text(message["html"])},
                "Headers": [
                    {"Name": name, "Value": value}
                    for name, value in message["headers"].items()
                ],
            }
        },
        EmailTags=[{"Name": "waxseal-reference", "Value": message["reference"]}],
        ConfigurationSetName=task["settings"]["configuration-set"],
    )["MessageId"]
)
