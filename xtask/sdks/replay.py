"""Sends a kept request again: as it was, and with one octet of its body changed. Prints both statuses."""

import http.client
import json
import ssl
import sys

task = json.load(sys.stdin)
kept = task["request"]
host, port = task["address"].removeprefix("https://").split(":")
context = ssl.create_default_context(cafile=task["roots"])
body = kept["body"].encode()
place = body.index(b"Hello")
for octets in (body, body[:place] + b"J" + body[place + 1 :]):
    connection = http.client.HTTPSConnection(host, int(port), context=context)
    connection.putrequest(kept["method"], kept["path"], skip_host=True, skip_accept_encoding=True)
    for name, value in kept["headers"]:
        connection.putheader(name, value)
    connection.endheaders(octets)
    print(connection.getresponse().status)
