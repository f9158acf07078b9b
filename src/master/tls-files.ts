// The files of TLS: the server's certificate and key, and the authorities of client certificates.

import { createSecureContext } from 'node:tls';
import { readFileSync } from 'node:fs';
import { messageOf } from '../ipam/lease-error.ts';
import type { TlsSettings } from './listen.ts';
import type { MasterOptions } from './master-options.ts';
import { CredentialError, readPrivateFile } from './tokens.ts';

/** Undefined without a certificate. Throws CredentialError when certificate and key do not fit, or cannot be read. */
export function readTlsFiles({ certificate: files, credentials }: MasterOptions): TlsSettings | undefined {
	if (files === undefined) return undefined;
	const { certificate, key } = files;
	const authorities = [credentials.agentAuthority, credentials.operatorAuthority].filter(
		(path) => path !== undefined,
	);
	const settings = { cert: read(certificate), key: readPrivateFile(key), ca: authorities.map(read) };
	try {
		createSecureContext({ ...settings, ca: [...settings.ca] });
		return settings;
	} catch (error) {
		throw new CredentialError(`using the certificate "${certificate}" with the key "${key}": ${messageOf(error)}`);
	}
}

function read(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		throw new CredentialError(`reading the certificate "${path}": ${messageOf(error)}`);
	}
}
