// Who makes a request, and what it may.

import { formatIp, parseIp } from '../ip/address.ts';
import { ApiError } from './api-error.ts';

export type Identity =
	/** No credentials are configured: whoever reaches the loopback may do all. */
	| { readonly role: 'local' }
	| KnownIdentity
	/** Nobody that is known, and why. */
	| { readonly role: 'nobody'; readonly reason: string };

/** Who has shown a credential, which is valid until `expires`, milliseconds since the epoch, or without end. */
export type KnownIdentity = { readonly name: string; readonly expires: number | undefined } & (
	| { readonly role: 'operator' }
	/** `speaksFor` says whether it may register an address. */
	| { readonly role: 'agent'; speaksFor(address: string): boolean }
);

/** Who may use a route: anybody, whoever is known, agents, or operators. */
export type Audience = 'anybody' | 'known' | 'agent' | 'operator';

/** Throws ApiError when an identity may not use a route. */
export function authorize(identity: Identity, audience: Audience): void {
	if (audience === 'anybody' || identity.role === 'local') return;
	if (identity.role === 'nobody') {
		throw new ApiError('unauthenticated', identity.reason, { 'www-authenticate': 'Bearer realm="mesos-overlay"' });
	}
	if (audience === 'known' || identity.role === audience) return;
	throw new ApiError('forbidden', `this is for ${audience}s; "${identity.name}" is an ${identity.role}`);
}

/** Throws ApiError when an identity may not speak for the agent with an address. */
export function authorizeAddress(identity: Identity, address: string): void {
	if (identity.role !== 'agent' || identity.speaksFor(address)) return;
	throw new ApiError('forbidden', `the credential of "${identity.name}" is not for ${address}`);
}

/** An address as it is written everywhere; undefined when the text is none. */
export function canonicalIp(text: string): string | undefined {
	const bytes = parseIp(text);
	return bytes && formatIp(bytes);
}
