// One smtp-server on loopback: an account, a certificate, and a file for each message it takes.
'use strict';
const fs = require('fs');
const path = require('path');
const { SMTPServer } = require('smtp-server');

const settings = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
let count = 0;

const server = new SMTPServer({
    name: settings.host,
    secure: settings.secure,
    cert: fs.readFileSync(settings.certificate),
    key: fs.readFileSync(settings.key),
    authMethods: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
    disableReverseLookup: true,
    onAuth(auth, session, done) {
        const known = auth.username === settings.user;
        const right = auth.method === 'CRAM-MD5'
            ? auth.validatePassword(settings.password)
            : auth.password === settings.password;
        if (!known || !right) return done(new Error('Invalid username or password'));
        return done(null, { user: auth.username });
    },
    onData(stream, session, done) {
        const parts = [];
        stream.on('data', part => parts.push(part));
        stream.on('end', () => {
            count += 1;
            const how = `X-Session: with ${session.transmissionType} user ${session.user}\r\n`;
            const file = `${process.pid}-${count}`;
            fs.writeFileSync(path.join(settings.mailbox, file), how + Buffer.concat(parts));
            done(null, `kept as ${file}`);
        });
    },
});
server.on('error', error => console.error(error.message));
server.listen(settings.port, '127.0.0.1');
