// By what an agent shows who it is.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { readCredentials } from '../../../src/agent/master/credentials.ts';

const url = new URL('http://10.0.0.1:5055');
const none = { token: undefined, authority: undefined, certificate: undefined, key: undefined };

test('a token, alone or as in the file of the master', (t) => {
	const directory = mkdtempSync(join(tmpdir(), 'mesos-overlay-token-'));
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	const token = `${directory}/token`;
	const read = (text: string, mode = 0o600) => {
		rmSync(token, { force: true });
		writeFileSync(token, text, { mode });
		return readCredentials({ ...none, token }, url).headers['authorization'];
	};
	t.is(read('abc\n'), 'Bearer abc');
	t.is(read('# of this host\n10.0.0.1 abc # until May\n'), 'Bearer abc');
	t.throws(() => read(''), { message: /^reading the token ".*": expected one token/ });
	t.throws(() => read('a b c'), { message: /expected one token/ });
	t.throws(() => read('é'), { message: /expected one token/ });
	t.throws(() => read('abc', 0o644), { message: /others can use it \(mode 0644\), chmod 600 it$/ });
	t.throws(() => readCredentials({ ...none, key: `${directory}/none` }, url), {
		message: /^reading the credential ".*": ENOENT/,
	});
	t.deepEqual(readCredentials(none, url), { target: { url }, headers: {} });
});
