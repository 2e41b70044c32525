// Sends one message with postmark, Postmark's own library for Node.js.
import { readFileSync } from "node:fs";
import { ServerClient } from "postmark";

const task = JSON.parse(readFileSync(0, "utf8"));
const { message } = task;
const client = new ServerClient(task.secrets["server-token"], {
  requestHost: new URL(task.address).host,
});
const answer = await client.sendEmail({
  From: `"${message.from_name}" <${message.from}>`,
  To: message.to,
  Subject: message.subject,
  HtmlBody: message.html,
  TextBody: message.text,
  ReplyTo: message.reply_to,
  Metadata: { "waxseal-reference": message.reference },
  Headers: Object.entries(message.headers).map(([Name, Value]) => ({ Name, Value })),
  MessageStream: task.settings["message-stream"],
});
console.log(answer.MessageID);
