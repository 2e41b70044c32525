// Sends one message with mailgun.js, Mailgun's own library for Node.js.
import { readFileSync } from "node:fs";
import Mailgun from "mailgun.js";

const task = JSON.parse(readFileSync(0, "utf8"));
const { message } = task;
const client = new Mailgun(FormData).client({
  username: "api",
  key: task.secrets["api-key"],
  url: task.address,
});
const headers = Object.entries(message.headers).map(([name, value]) => [`h:${name}`, value]);
const answer = await client.messages.create(task.settings.domain, {
  to: message.to,
  from: `"${message.from_name}" <${message.from}>`,
  subject: message.subject,
  text: message.text,
  html: message.html,
  "h:Reply-To": message.reply_to,
  ...Object.fromEntries(headers),
  "v:waxseal-reference": message.reference,
});
console.log(answer.id);
