// Reads `bandwidth`, which the reference bandwidth plugin has as its configuration and its capability.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { type Fields, readFields, readInteger } from '../cni/fields.ts';
import type { NetworkConfiguration } from '../cni/network-configuration.ts';
import { quoted } from '../cni/quoted.ts';

/** JSON numbers are exact up to here. */
const HIGHEST_RATE = Number.MAX_SAFE_INTEGER;
/** What the reference allows: in bytes, one less than what 32 bits can hold. */
const HIGHEST_BURST = 8 * (2 ** 32 - 1) - 1;

/** A rate in bits a second, and how many bits may go at once when nothing went for a while. */
export interface Limit {
	readonly rate: number;
	readonly burst: number;
}

/** As the reference calls them: `ingress` is what goes to the container, `egress` what comes from it. */
export interface Limits {
	readonly ingress: Limit | undefined;
	readonly egress: Limit | undefined;
}

/**
 * The limits of an attachment, undefined when it has none. `bandwidth` of the network, when it has any key, counts instead
 * of the runtime's, so that what an operator has set cannot be lifted. Throws CniError 7 for a wrong value.
 */
export function readLimits({ fields, runtimeConfig }: NetworkConfiguration): Limits | undefined {
	const owner = bandwidthOf(fields) ?? (runtimeConfig && bandwidthOf(runtimeConfig));
	if (owner === undefined) return undefined;
	const limits = {
		ingress: readLimit(owner, 'ingressRate', 'ingressBurst'),
		egress: readLimit(owner, 'egressRate', 'egressBurst'),
	};
	return limits.ingress === undefined && limits.egress === undefined ? undefined : limits;
}

function bandwidthOf(owner: Fields): Fields | undefined {
	const bandwidth = readFields(owner, 'bandwidth');
	if (bandwidth === undefined) return undefined;
	const keys = ['ingressrate', 'ingressburst', 'egressrate', 'egressburst'];
	return keys.some((key) => bandwidth.entries.has(key)) ? bandwidth : undefined;
}

/** Zero is as good as no key. */
function readLimit(fields: Fields, rateKey: string, burstKey: string): Limit | undefined {
	const rate = readInteger(fields, rateKey, 0, HIGHEST_RATE) ?? 0;
	const burst = readInteger(fields, burstKey, 0, HIGHEST_BURST) ?? 0;
	if (rate === 0 && burst === 0) return undefined;
	if (burst === 0) throw incomplete(fields, burstKey, `the bits that may go at once, since ${rateKey} is ${rate}`);
	if (rate === 0) throw incomplete(fields, rateKey, `bits a second, since ${burstKey} is ${burst}`);
	return { rate, burst };
}

function incomplete({ path, entries }: Fields, key: string, expected: string): CniError {
	const value = quoted(entries.get(key.toLowerCase()));
	return new CniError(CniErrorCode.invalidConfiguration, `reading ${path}${key}: expected ${expected}, got ${value}`);
}
