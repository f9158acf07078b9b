import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { canonicalIp } from '../../src/master/identity.ts';
import { CredentialError, decodeTokens, findToken, readTokens } from '../../src/master/tokens.ts';

const TOKEN = 'abcdefghijklmnop';
const OTHER = 'ponmlkjihgfedcba';

test('a token is its agent’s, and speaks for its address alone', (t) => {
	const tokens = decodeTokens(`# agents\n\n10.0.0.1 ${TOKEN}\nfd00:0::1\t${OTHER} # an IPv6 agent\n`, 'f', 'agent');
	const identity = findToken([tokens], TOKEN, 0);
	if (identity.role !== 'agent') throw new Error(identity.role);
	t.true(identity.speaksFor('10.0.0.1'));
	t.false(identity.speaksFor('10.0.0.2'));
	const other = findToken([tokens], OTHER, 0);
	t.true(other.role === 'agent' && other.speaksFor(canonicalIp('fd00::0:1') ?? ''));
	t.deepEqual(findToken([tokens], `${TOKEN}x`, 0), { role: 'nobody', reason: 'the token is not known' });
	t.is(findToken([], TOKEN, 0).role, 'nobody');
});

test('a token ends when its time is over', (t) => {
	const tokens = decodeTokens(`admin ${TOKEN} 2027-01-01T00:00:00Z`, 'f', 'operator');
	const end = Date.parse('2027-01-01T00:00:00Z');
	t.deepEqual(findToken([tokens], TOKEN, end - 1), { role: 'operator', name: 'admin', expires: end });
	t.deepEqual(findToken([tokens], TOKEN, end), {
		role: 'nobody',
		reason: 'the token has expired, on 2027-01-01T00:00:00.000Z',
	});
});

for (const [line, problem] of [
	[`here ${TOKEN}`, '"here" is no address of an agent'],
	['10.0.0.1', 'there is no token behind "10.0.0.1"'],
	['10.0.0.1 short', 'the token of "10.0.0.1" is too short, write 16 characters or more'],
	[`10.0.0.1 ${TOKEN}"`, 'the token of "10.0.0.1" has characters that no header can have (RFC 6750 §2.1)'],
	[`10.0.0.1 ${TOKEN} soon`, '"soon" is no time, write it as "2027-01-01T00:00:00Z"'],
	[`10.0.0.1 ${TOKEN} 2027-01-01 x`, '"x" is too much'],
	[`10.0.0.9 ${OTHER}`, 'the token is in an earlier line, too'],
] as const) {
	test(`wrong: ${line}`, (t) => {
		const text = `10.0.0.8 ${OTHER}\n${line}\n`;
		t.throws(() => decodeTokens(text, 'file', 'agent'), {
			instanceOf: CredentialError,
			message: `file:2: ${problem}`,
		});
	});
}

test('all mistakes are told at once', (t) => {
	const error = t.throws(() => decodeTokens('a\nb\n', 'f', 'agent'), { instanceOf: CredentialError });
	t.is(error.message.split('\n').length, 2);
});

test('a file that others may read or write is refused, and one that is not there', (t) => {
	const directory = mkdtempSync(join(tmpdir(), 'mesos-overlay-tokens-'));
	t.teardown(() => rmSync(directory, { recursive: true }));
	const path = join(directory, 'tokens');
	t.throws(() => readTokens(path, 'agent'), { instanceOf: CredentialError, message: /ENOENT/ });
	writeFileSync(path, `10.0.0.1 ${TOKEN}\n`);
	for (const mode of [0o600, 0o400, 0o700]) {
		chmodSync(path, mode);
		t.is(readTokens(path, 'agent').size, 1);
	}
	for (const mode of [0o640, 0o604, 0o660, 0o622]) {
		chmodSync(path, mode);
		t.throws(() => readTokens(path, 'agent'), {
			instanceOf: CredentialError,
			message: `reading the credentials "${path}": others may read or write it (its mode is 0${mode.toString(8)}): chmod 0600 "${path}"`,
		});
	}
});
