// The addresses that the caller wants for the container, in whichever of the four ways it says so.

import { addressFamily, cidrFamily, unmapped } from './address-text.ts';
import { CniError, CniErrorCode } from './errors.ts';
import { readStrings } from './fields.ts';
import { mesosAddresses } from './mesos.ts';
import { partsOf } from './parts.ts';
import { quoted } from './quoted.ts';
import type { Request } from './request.ts';

export interface RequestedAddress {
	/** In text form, without a prefix length. */
	readonly address: string;
	readonly family: 4 | 6;
	/** The key or variable that asks for it, for messages. */
	readonly source: string;
}

/**
 * The addresses of the first of `args.cni.ips`, `runtimeConfig.ips`, Mesos' `ip_addresses` and `IP` in CNI_ARGS that
 * has any (CNI CONVENTIONS: the deprecated CNI_ARGS must be ignored beside `args`). A prefix length is checked and
 * dropped, since it is the network that decides it. Throws CniError 7, or 4 for CNI_ARGS.
 */
export function requestedAddresses({ configuration, cniArguments }: Request): readonly RequestedAddress[] {
	const { args, runtimeConfig, mesos } = configuration;
	for (const fields of [args, runtimeConfig]) {
		const texts = (fields && readStrings(fields, 'ips')) ?? [];
		if (fields !== undefined && texts.length > 0) {
			return texts.map((text) => parse(text, `${fields.path}ips`, CniErrorCode.invalidConfiguration));
		}
	}
	const fromMesos = mesos === undefined ? [] : mesosAddresses(mesos);
	if (mesos !== undefined && fromMesos.length > 0) {
		return fromMesos.map((text) => parse(text, `${mesos.path}ip_addresses`, CniErrorCode.invalidConfiguration));
	}
	const listed = cniArguments.get('IP');
	if (listed === undefined) return [];
	return partsOf(listed, ',').map((text) => parse(text, 'IP in CNI_ARGS', CniErrorCode.invalidEnvironment));
}

function parse(text: string, source: string, code: number): RequestedAddress {
	const isValid = (text.includes('/') ? cidrFamily(text) : addressFamily(text)) !== undefined;
	const address = unmapped(text.split('/', 1)[0] ?? '');
	const family = addressFamily(address);
	if (!isValid || family === undefined) {
		throw new CniError(
			code,
			`reading ${source}: expected an address such as 9.0.1.2 or 9.0.1.2/26, got ${quoted(text)}`,
		);
	}
	return { address, family, source };
}
