// Bearer tokens, RFC 6750: files with a line for each, which only the master's user can read.

import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { parseIp } from '../ip/address.ts';
import { messageOf } from '../ipam/lease-error.ts';
import { canonicalIp, type Identity, type KnownIdentity } from './identity.ts';

/** A shorter one can be guessed. */
const SHORTEST_TOKEN = 16;

/** Credentials that cannot be used; the message has a line for each mistake. */
export class CredentialError extends Error {
	override readonly name = 'CredentialError';
	readonly code = 'credentials';
}

/** Who has which token, by the digest of its text: who finds a digest has compared nothing secret. */
export type Tokens = ReadonlyMap<string, KnownIdentity>;

/**
 * Reads a file of lines such as `10.0.0.1 dGhpcyBpcyBhIHNlY3JldA 2027-01-01T00:00:00Z`: the agent's address, or an operator's
 * name, the token, and until when it is valid. `#` begins a comment. Throws CredentialError.
 */
export function readTokens(path: string, role: 'agent' | 'operator'): Tokens {
	return decodeTokens(readPrivateFile(path), path, role);
}

/** The text of a file that nobody else may read or write. Throws CredentialError. */
export function readPrivateFile(path: string): string {
	let descriptor: number;
	try {
		descriptor = openSync(path, 'r');
	} catch (error) {
		throw new CredentialError(`reading the credentials "${path}": ${messageOf(error)}`);
	}
	try {
		const mode = fstatSync(descriptor).mode & 0o777;
		if ((mode & 0o077) === 0) return readFileSync(descriptor, 'utf8');
		throw new CredentialError(
			`reading the credentials "${path}": others may read or write it (its mode is 0${mode.toString(8)}): chmod 0600 "${path}"`,
		);
	} finally {
		closeSync(descriptor);
	}
}

/** Takes the text of such a file apart; `path` is for messages. Throws CredentialError with all that is wrong. */
export function decodeTokens(text: string, path: string, role: 'agent' | 'operator'): Tokens {
	const tokens = new Map<string, KnownIdentity>();
	const problems: string[] = [];
	for (const [at, line] of text.split('\n').entries()) {
		const words = line
			.replace(/#.*/, '')
			.split(/\s+/)
			.filter((word) => word !== '');
		const [name = '', token = '', until] = words;
		if (name === '') continue;
		const expires = until === undefined ? undefined : Date.parse(until);
		const problem =
			problemOf(words, role, expires) ??
			(tokens.has(digestOf(token)) ? 'the token is in an earlier line, too' : undefined);
		if (problem === undefined) tokens.set(digestOf(token), identityOf(name, role, expires));
		else problems.push(`${path}:${at + 1}: ${problem}`);
	}
	if (problems.length > 0) throw new CredentialError(problems.join('\n'));
	return tokens;
}

function problemOf(
	[name = '', token = '', ...rest]: readonly string[],
	role: string,
	expires: number | undefined,
): string | undefined {
	if (role === 'agent' && parseIp(name) === undefined) return `"${name}" is no address of an agent`;
	if (token === '') return `there is no token behind "${name}"`;
	if (!/^[\w.~+/-]+=*$/.test(token))
		return `the token of "${name}" has characters that no header can have (RFC 6750 §2.1)`;
	if (token.length < SHORTEST_TOKEN)
		return `the token of "${name}" is too short, write ${SHORTEST_TOKEN} characters or more`;
	if (rest.length > 1) return `"${rest[1]}" is too much`;
	return Number.isNaN(expires) ? `"${rest[0]}" is no time, write it as "2027-01-01T00:00:00Z"` : undefined;
}

function identityOf(name: string, role: 'agent' | 'operator', expires: number | undefined): KnownIdentity {
	if (role === 'operator') return { role, name, expires };
	const address = canonicalIp(name);
	return { role, name, expires, speaksFor: (other) => other === address };
}

/** Who has a token, at a time in milliseconds since the epoch. */
export function findToken(tokens: readonly Tokens[], token: string, now: number): Identity {
	const digest = digestOf(token);
	const found = tokens.map((each) => each.get(digest)).find((each) => each !== undefined);
	if (found === undefined) return { role: 'nobody', reason: 'the token is not known' };
	const { expires } = found;
	if (expires === undefined || now < expires) return found;
	return { role: 'nobody', reason: `the token has expired, on ${new Date(expires).toISOString()}` };
}

function digestOf(token: string): string {
	return createHash('sha256').update(token).digest('base64');
}
