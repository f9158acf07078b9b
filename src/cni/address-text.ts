// Whether a text is an IP address or a CIDR, as strictly as Go reads them: no leading zeros, no zone, no short forms.

import { parseIp } from '../ip/address.ts';
import { parseCidr } from '../ip/cidr.ts';
import { type Fields, readString, refuse } from './fields.ts';

const MAPPED = /^::ffff:(?=[0-9]+\.)/i;

/** The family of an address in text form (RFC 4291 §2.2 for IPv6); undefined when it is none. */
export function addressFamily(text: string): 4 | 6 | undefined {
	return familyOf(parseIp(text));
}

/** The family of `address/prefix length`; undefined when the text is no such thing. */
export function cidrFamily(text: string): 4 | 6 | undefined {
	return familyOf(parseCidr(text)?.ip);
}

function familyOf(ip: Uint8Array | undefined): 4 | 6 | undefined {
	return ip && (ip.length === 4 ? 4 : 6);
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
