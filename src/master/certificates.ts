// Client certificates: whose they are follows from who has issued them, and for agents from the addresses in them.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';
import { messageOf } from '../ipam/lease-error.ts';
import type { Identity } from './identity.ts';
import { CredentialError } from './tokens.ts';

/** The issuers of client certificates, by what they make of those who have them. */
export interface Issuers {
	readonly agent: readonly X509Certificate[];
	readonly operator: readonly X509Certificate[];
}

/** The certificates of a file of PEM. Throws CredentialError when there is none. */
export function readCertificates(path: string): X509Certificate[] {
	try {
		const blocks =
			readFileSync(path, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
		if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block));
	} catch (error) {
		throw new CredentialError(`reading the certificates "${path}": ${messageOf(error)}`);
	}
	throw new CredentialError(`reading the certificates "${path}": there is none in it, write them as PEM`);
}

/**
 * Who is at the other end of a connection; undefined when it has shown no certificate. OpenSSL has verified the chain; what
 * it said against it is the reason for `nobody`. That was when the connection began; `now`, in milliseconds, may be days later.
 */
export function identityOfPeer(socket: TLSSocket, { agent, operator }: Issuers, now: number): Identity | undefined {
	const certificate = socket.getPeerX509Certificate();
	if (certificate === undefined) return undefined;
	const name = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? certificate.serialNumber;
	if (!socket.authorized) {
		return {
			role: 'nobody',
			reason: `the certificate "${name}" is not accepted: ${String(socket.authorizationError)}`,
		};
	}
	const expires = Date.parse(certificate.validTo);
	if (now >= expires) return { role: 'nobody', reason: `the certificate "${name}" has expired meanwhile` };
	const isIssuedBy = (issuer: X509Certificate): boolean =>
		certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
	if (operator.some(isIssuedBy)) return { role: 'operator', name, expires };
	if (!agent.some(isIssuedBy)) {
		return { role: 'nobody', reason: `the certificate "${name}" was issued by none of the configured authorities` };
	}
	if (certificate.subjectAltName?.includes('IP Address:')) {
		return { role: 'agent', name, expires, speaksFor: (address) => certificate.checkIP(address) !== undefined };
	}
	const reason = `the certificate "${name}" names no address (subjectAltName), so it is not an agent's`;
	return { role: 'nobody', reason };
}
