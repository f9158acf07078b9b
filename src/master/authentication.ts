// Finds out who makes a request, by its token or by the certificate of its connection.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { identityOfPeer, type Issuers, readCertificates } from './certificates.ts';
import type { Identity } from './identity.ts';
import { CredentialError, findToken, readTokens, type Tokens } from './tokens.ts';

/** The files that credentials are in, as far as they were named. */
export interface CredentialFiles {
	readonly agentTokens?: string | undefined;
	readonly operatorTokens?: string | undefined;
	readonly agentAuthority?: string | undefined;
	readonly operatorAuthority?: string | undefined;
}

export interface Credentials {
	readonly tokens: readonly Tokens[];
	readonly issuers: Issuers;
}

/** Whether any credentials are asked for. */
export function hasCredentials(files: CredentialFiles): boolean {
	return Object.values(files).some((file) => file !== undefined);
}

/** Throws CredentialError. */
export function readCredentials(files: CredentialFiles): Credentials {
	const { agentTokens, operatorTokens, agentAuthority, operatorAuthority } = files;
	const issuers: Issuers = {
		agent: agentAuthority === undefined ? [] : readCertificates(agentAuthority),
		operator: operatorAuthority === undefined ? [] : readCertificates(operatorAuthority),
	};
	const both = issuers.agent.find((one) =>
		issuers.operator.some((other) => other.fingerprint256 === one.fingerprint256),
	);
	if (both !== undefined) {
		const why = `they have a certificate in common, so that each agent would be an operator`;
		throw new CredentialError(`reading the certificates "${agentAuthority}" and "${operatorAuthority}": ${why}`);
	}
	const tokens = [
		...(agentTokens === undefined ? [] : [readTokens(agentTokens, 'agent')]),
		...(operatorTokens === undefined ? [] : [readTokens(operatorTokens, 'operator')]),
	];
	return { tokens, issuers };
}

/** Who makes a request, at a time in milliseconds since the epoch. A token counts before a certificate. */
export function identify(request: IncomingMessage, { tokens, issuers }: Credentials, now: number): Identity {
	const { authorization } = request.headers;
	if (authorization !== undefined) {
		const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
		return token === undefined
			? { role: 'nobody', reason: 'the header "Authorization" is no bearer token' }
			: findToken(tokens, token, now);
	}
	const { socket } = request;
	const peer = isEncrypted(socket) ? identityOfPeer(socket, issuers, now) : undefined;
	return peer ?? { role: 'nobody', reason: 'this needs a bearer token or a client certificate' };
}

function isEncrypted(socket: Socket): socket is TLSSocket {
	return 'encrypted' in socket && socket.encrypted === true;
}
