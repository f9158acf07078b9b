// Whether a text is an IP address or a CIDR, as strictly as Go reads them: no leading zeros, no zone, no short forms.

import { type Fields, readString, refuse } from './fields.ts';

const DECIMAL = /^(?:0|[1-9][0-9]{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
const MAPPED = /^::ffff:(?=[0-9]+\.)/i;

/** The family of an address in text form (RFC 4291 §2.2 for IPv6); undefined when it is none. */
export function addressFamily(text: string): 4 | 6 | undefined {
	if (!text.includes(':')) return isIpv4(text) ? 4 : undefined;
	return isIpv6(text) ? 6 : undefined;
}

/** The family of `address/prefix length`; undefined when the text is no such thing. */
export function cidrFamily(text: string): 4 | 6 | undefined {
	const slash = text.indexOf('/');
	const prefix = text.slice(slash + 1);
	const family = slash < 0 ? undefined : addressFamily(text.slice(0, slash));
	return family !== undefined && DECIMAL.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128)
		? family
		: undefined;
}

/** An IPv4 address in place of the IPv6 address that it is mapped to (RFC 4291 §2.5.5.2), and any other text as it is. */
export function unmapped(text: string): string {
	return text.replace(MAPPED, '');
}

/** An IP address; throws CniError 7, as {@link readString}. */
export function readAddress(fields: Fields, key: string): string | undefined {
	const text = readString(fields, key);
	if (text === undefined) return undefined;
	return addressFamily(text) === undefined ? refuse(fields, key, 'an IP address', text) : unmapped(text);
}

/** An address with the length of its prefix. */
export function readCidr(fields: Fields, key: string): string | undefined {
	const text = readString(fields, key);
	return text === undefined || cidrFamily(text) !== undefined
		? text
		: refuse(fields, key, 'an address with a prefix length such as 9.0.1.2/26', text);
}

function isIpv4(text: string): boolean {
	const octets = text.split('.');
	return octets.length === 4 && octets.every((octet) => DECIMAL.test(octet) && Number(octet) <= 255);
}

function isIpv6(text: string): boolean {
	const halves = text.split('::');
	let groups = 0;
	for (const [half, part] of halves.entries()) {
		const pieces = part === '' && halves.length > 1 ? [] : part.split(':');
		for (const [at, piece] of pieces.entries()) {
			if (GROUP.test(piece)) {
				groups += 1;
			} else if (half === halves.length - 1 && at === pieces.length - 1 && isIpv4(piece)) {
				groups += 2;
			} else {
				return false;
			}
		}
	}
	return halves.length === 1 ? groups === 8 : halves.length === 2 && groups < 8;
}
