// By what the agent shows the master who it is: a bearer token (RFC 6750), or a client certificate.

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { present } from '../../cni/fields.ts';
import { messageOf } from '../../ipam/lease-error.ts';
import { type CredentialFiles, OptionError } from '../agent-options.ts';
import type { Target } from './http-request.ts';

export interface Credentials {
	readonly target: Target;
	readonly headers: Readonly<Record<string, string>>;
}

/** What belongs to a connection to the master. Throws OptionError when a file cannot be used. */
export function readCredentials({ token, authority, certificate, key }: CredentialFiles, url: URL): Credentials {
	return {
		target: present({
			url,
			ca: authority === undefined ? undefined : read(authority, false),
			cert: certificate === undefined ? undefined : read(certificate, false),
			key: key === undefined ? undefined : read(key, true),
		}),
		headers: token === undefined ? {} : { authorization: `Bearer ${readToken(token)}` },
	};
}

/** The token is the only word of its file, or the second of its only line, as in the master's file. */
function readToken(path: string): string {
	const words = read(path, true)
		.replaceAll(/#.*/g, '')
		.split(/\s+/)
		.filter((word) => word !== '');
	const token = words.length === 1 ? words[0] : words.length === 2 ? words[1] : undefined;
	if (token !== undefined && /^[\w.~+/-]+=*$/.test(token)) return token;
	throw new OptionError(`reading the token "${path}": expected one token, alone or behind the address of this agent`);
}

function read(path: string, isSecret: boolean): string {
	let text: string;
	let mode: number;
	try {
		const descriptor = openSync(path, 'r');
		try {
			({ mode } = fstatSync(descriptor));
			text = readFileSync(descriptor, 'utf8');
		} finally {
			closeSync(descriptor);
		}
	} catch (error) {
		throw new OptionError(`reading the credential "${path}": ${messageOf(error)}`);
	}
	if (!isSecret || (mode & 0o077) === 0) return text;
	const octal = (mode & 0o777).toString(8).padStart(4, '0');
	throw new OptionError(`reading the credential "${path}": others can use it (mode ${octal}), chmod 600 it`);
}
